import { request } from "undici";
import { connectKube } from "../../../src/ports/kube/connect-kube.ts";
import { countRequests } from "./count-requests.ts";
import { bareAccess } from "./kubeconfig.ts";
import { answer, peakMiB, task } from "./task.ts";

type Task = {
  readonly kubeconfigPath: string;
  /** Reads the JSON too, before it discards it. */
  readonly parse: boolean;
};

/** As baselines of other programs have it. */
const limit = 500;

const { kubeconfigPath, parse } = await task<Task>();
const requests = countRequests();
const { server, dispatcher, headers } = bareAccess(kubeconfigPath);
const kube = await connectKube({ kubeconfigPath, qps: 5_000, burst: 5_000 });
const { resources } = await kube.discover();
let objects = 0;
for (const { group, version, plural, verbs, preferred } of resources) {
  if (!preferred || !verbs.includes("list") || !verbs.includes("create")) continue;
  const home = `${server}${group === "" ? "/api" : `/apis/${group}`}/${version}/${plural}`;
  let next = "";
  do {
    const url = `${home}?limit=${limit}&continue=${encodeURIComponent(next)}`;
    const { body } = await request(url, { dispatcher, headers });
    const text = await body.text();
    if (parse) objects += (JSON.parse(text) as { readonly items: readonly unknown[] }).items.length;
    else objects += text.split('"uid":').length - 1;
    next = /"continue":"([^"]+)"/.exec(text.slice(0, 2_000))?.[1] ?? "";
  } while (next !== "");
}
await dispatcher.close();
await kube.close();
answer({ objects, requests: requests.count(), peakMiB: peakMiB() });
