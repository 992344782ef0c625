import { Agent, request } from "undici";
import { startEmbedded } from "../../../src/embedded/server.ts";
import { answer, peakMiB, task } from "./task.ts";

const { directory } = await task<{ readonly directory: string }>();
const server = await startEmbedded({ directory });
const dispatcher = new Agent({ connect: { ca: server.certificate } });
const { statusCode, body } = await request(`${server.url}/readyz`, {
  dispatcher,
  headers: { authorization: `Bearer ${server.token}` },
});
await body.dump();
await dispatcher.close();
await server.close();
answer({ statusCode, peakMiB: peakMiB() });
