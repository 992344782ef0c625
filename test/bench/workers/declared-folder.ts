import { openRemote, type RemoteOptions } from "../../../src/ports/git/open-remote.ts";
import { answer, peakMiB, task } from "./task.ts";

type Task = {
  readonly remote: Pick<RemoteOptions, "url" | "cacheDirectory"> & {
    readonly credentials: { readonly username: string; readonly password: string };
  };
  readonly folder: string;
};

const { remote: options, folder } = await task<Task>();
const remote = openRemote(options);
const tip = await remote.tip("main");
if (tip === undefined) throw new Error("there is no branch main");
const files = (await remote.files(tip, folder)) ?? [];
const contents = await remote.blobs(files.map(({ oid }) => oid));
answer({ files: contents.size, peakMiB: peakMiB() });
