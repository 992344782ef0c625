import { readFileSync } from "node:fs";
import { request } from "undici";
import { countRequests } from "./count-requests.ts";
import { bareAccess } from "./kubeconfig.ts";
import { answer, peakMiB, task } from "./task.ts";

type Task = {
  readonly kubeconfigPath: string;
  /** One `{ path, body }` in a line, in the order in which they can be created. */
  readonly file: string;
  readonly atOnce: number;
};

const { kubeconfigPath, file, atOnce } = await task<Task>();
const requests = countRequests();
const { server, dispatcher, headers } = bareAccess(kubeconfigPath);
// Not by readline: it takes a line separator in a text for the end of the line.
const lines = readFileSync(file, "utf8").trim().split("\n").values();
let created = 0;
const worker = async () => {
  for (const line of lines) {
    const { path, body } = JSON.parse(line) as { readonly path: string; readonly body: object };
    const response = await request(`${server}${path}`, {
      method: "POST",
      dispatcher,
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const said = await response.body.text();
    if (response.statusCode !== 201) throw new Error(`POST ${path}: ${response.statusCode} ${said}`);
    created += 1;
  }
};
await Promise.all(Array.from({ length: atOnce }, worker));
await dispatcher.close();
answer({ objects: created, requests: requests.count(), peakMiB: peakMiB() });
