import { startEmbedded } from "../../../src/embedded/server.ts";

/**
 * Writes, changes and deletes ConfigMaps for ever, several at a time, and prints a line of JSON before each
 * write and after its acknowledgement. Run as a program with the state folder as its argument, to be killed.
 */
const directory = process.argv[2] ?? "";
const writersAtOnce = 4;
const namesEach = 7;
const collection = "/api/v1/namespaces/default/configmaps";

const server = await startEmbedded({ directory });
const tell = (line: object) => console.log(JSON.stringify(line));

async function write(writer: number): Promise<void> {
  for (let turn = 0; ; turn++) {
    const name = `w${writer}-${turn % namesEach}`;
    const path = `${collection}/${name}`;
    const isThere = (await server.api.request({ method: "GET", path })).status === 200;
    const dice = Math.random();
    if (isThere && dice > 0.8) {
      tell({ name, began: true });
      const { status } = await server.api.request({ method: "DELETE", path });
      tell({ name, status });
    } else {
      // A large one now and then, so that the journal becomes a snapshot often.
      const text = `${process.pid}/${turn}/${"x".repeat(dice < 0.2 ? 300_000 : 200)}`;
      const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { text } };
      const mark = `${text.length}/${text.slice(0, 20)}`;
      tell({ name, began: true, mark });
      const method = isThere ? "PUT" : "POST";
      const answer = await server.api.request({ method, path: isThere ? path : collection, body });
      const { metadata } = answer.body as { metadata?: { resourceVersion?: string } };
      tell({ name, mark, status: answer.status, version: metadata?.resourceVersion });
    }
    // Turns of the event loop between, so that several are under way when the end comes.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

tell({ ready: true });
await Promise.all(Array.from({ length: writersAtOnce }, (_, writer) => write(writer)));
