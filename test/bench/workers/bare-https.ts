import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { join } from "node:path";
import { Agent, request } from "undici";
import { answer, peakMiB, task } from "./task.ts";

const { directory } = await task<{ readonly directory: string }>();
const pem = readFileSync(join(directory, "tls.pem"));
const server = createServer({ key: pem, cert: pem }, (_, response) => response.end("ok"));
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
const address = server.address();
const port = typeof address === "object" && address !== null ? address.port : 0;
const dispatcher = new Agent({ connect: { ca: pem } });
const { statusCode, body } = await request(`https://127.0.0.1:${port}/readyz`, { dispatcher });
await body.dump();
await dispatcher.close();
server.close();
answer({ statusCode, peakMiB: peakMiB() });
