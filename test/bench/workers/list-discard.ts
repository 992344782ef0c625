import { readFileSync } from "node:fs";
import { load } from "js-yaml";
import { Agent, request } from "undici";
import { connectKube } from "../../../src/ports/kube/connect-kube.ts";
import { answer, peakMiB, task } from "./task.ts";

type Kubeconfig = {
  readonly clusters: readonly [{ readonly cluster: { readonly "certificate-authority-data": string } }];
  readonly users: readonly [{ readonly user: { readonly token: string } }];
};

/** As many as the dump asks for at once. */
const limit = 250;

const { kubeconfigPath } = await task<{ readonly kubeconfigPath: string }>();
const { clusters, users } = load(readFileSync(kubeconfigPath, "utf8")) as Kubeconfig;
const ca = Buffer.from(clusters[0].cluster["certificate-authority-data"], "base64");
const dispatcher = new Agent({ connect: { ca } });
const kube = await connectKube({ kubeconfigPath, qps: 5_000, burst: 5_000 });
const { resources } = await kube.discover();
let objects = 0;
for (const { group, version, plural, verbs, preferred } of resources) {
  if (!preferred || !verbs.includes("list") || !verbs.includes("create")) continue;
  const home = `${kube.server}${group === "" ? "/api" : `/apis/${group}`}/${version}/${plural}`;
  let next = "";
  do {
    const { body } = await request(`${home}?limit=${limit}&continue=${encodeURIComponent(next)}`, {
      dispatcher,
      headers: { authorization: `Bearer ${users[0].user.token}` },
    });
    const text = await body.text();
    objects += text.split('"uid":').length - 1;
    next = /"continue":"([^"]+)"/.exec(text.slice(0, 2_000))?.[1] ?? "";
  } while (next !== "");
}
await dispatcher.close();
await kube.close();
answer({ objects, peakMiB: peakMiB() });
