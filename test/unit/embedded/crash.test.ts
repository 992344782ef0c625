import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { startEmbedded } from "../../../src/embedded/server.ts";
import { ask, embedded, maps, temporaryDirectory } from "./embedded-fixture.ts";

// `npm run test:long` kills a hundred times.
const kills = Math.max(8, Math.ceil(Number(process.env["HOLDFAST_FUZZ_RUNS"] ?? 0) / 50));
const writer = fileURLToPath(new URL("./state-writer.ts", import.meta.url));

/** Length and beginning of the text of an object, and its resourceVersion. */
type Held = { readonly mark: string; readonly version: string };

/** A line of the writer: `began` before a write, `status` when it is acknowledged; no `mark`: a deletion. */
type Line = {
  readonly name?: string;
  readonly ready?: boolean;
  readonly began?: boolean;
  readonly status?: number;
  readonly mark?: string;
  readonly version?: string;
};

/** What a writer told before it was killed. */
type Told = { readonly settled: ReadonlyMap<string, Line>; readonly begun: ReadonlyMap<string, Line> };

type Moment = { readonly after: "start" | "ready"; readonly ms: number };

async function killedWriter(
  directory: string,
  moment: Moment,
  whenReady?: (pid: number) => Promise<void>,
): Promise<Told> {
  const child = spawn(process.execPath, [writer, directory], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<string | null>((resolve) => {
    child.once("exit", (_, signal) => resolve(signal));
  });
  const kill = () => setTimeout(() => child.kill("SIGKILL"), moment.ms);
  if (moment.after === "start") kill();
  const settled = new Map<string, Line>();
  const begun = new Map<string, Line>();
  for await (const text of createInterface({ input: child.stdout })) {
    // What the end cut off was told to nobody.
    if (!text.endsWith("}")) continue;
    const line: Line = JSON.parse(text);
    const { name = "" } = line;
    if (line.ready === true && moment.after === "ready") {
      await whenReady?.(child.pid ?? 0);
      kill();
    } else if (line.began === true) begun.set(name, line);
    else if (line.status !== undefined) {
      if (line.status >= 300) throw new Error(`the writer was refused: ${text}`);
      begun.delete(name);
      settled.set(name, line);
    }
  }
  expect(await ended).toBe("SIGKILL");
  return { settled, begun };
}

type State = {
  readonly objects: ReadonlyMap<string, Held>;
  readonly revision: number;
  /** Whether the watch could look back. */
  readonly resumed: boolean;
};

/** Starts a server on the folder, looks, and ends it; a watch since `since` has to lead to the same objects. */
async function stateOf(directory: string, since: number): Promise<State> {
  const server = await startEmbedded({ directory });
  try {
    const { body } = await ask(server.api, "GET", maps());
    const objects = new Map<string, Held>();
    for (const { metadata, data } of body.items) objects.set(metadata.name, held(metadata, data));
    const revision = Number(body.metadata.resourceVersion);
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 50);
    const last = new Map<string, Held | undefined>();
    for await (const { type, object } of server.api.watch(
      maps(),
      { resourceVersion: String(since) },
      stop.signal,
    )) {
      if (type === "ERROR") {
        // A snapshot has no history: who watched before it is told to list again.
        if ((object as { code?: number }).code !== 410) throw new Error(JSON.stringify(object));
        return { objects, revision, resumed: false };
      }
      const { metadata, data } = object as { metadata: Meta; data: { text: string } };
      expect(Number(metadata.resourceVersion)).toBeGreaterThan(since);
      last.set(metadata.name, type === "DELETED" ? undefined : held(metadata, data));
    }
    for (const [name, now] of last) expect(objects.get(name)).toEqual(now);
    return { objects, revision, resumed: true };
  } finally {
    await server.close();
  }
}

type Meta = { readonly name: string; readonly resourceVersion: string };

function held(metadata: Meta, data: { readonly text: string }): Held {
  return { mark: `${data.text.length}/${data.text.slice(0, 20)}`, version: metadata.resourceVersion };
}

/**
 * What is not as it was acknowledged: nothing. A write that was begun and not acknowledged is there or is not.
 */
function lost(before: State, { settled, begun }: Told, after: State): readonly unknown[] {
  const out: unknown[] = [];
  for (const name of new Set([...before.objects.keys(), ...settled.keys(), ...after.objects.keys()])) {
    const now = after.objects.get(name);
    const open = begun.get(name);
    if (open !== undefined && now?.mark === open.mark) continue;
    const acknowledged = settled.get(name);
    const wanted = acknowledged ?? before.objects.get(name);
    if (now?.mark !== wanted?.mark || now?.version !== wanted?.version) out.push({ name, wanted, now });
  }
  const told = [...settled.values()].map(({ version = "0" }) => Number(version));
  const highest = Math.max(before.revision, ...told);
  return after.revision >= highest ? out : [...out, { highest, revision: after.revision }];
}

describe("a server that is killed at any moment under load", () => {
  it(
    `has everything that it acknowledged, and goes on from there, ${kills} times`,
    async () => {
      const directory = await temporaryDirectory();
      let state = await stateOf(directory, 1);
      let writes = 0;
      let resumed = 0;
      for (let round = 0; round < kills; round++) {
        const after = round % 4 === 3 ? "start" : "ready";
        const told = await killedWriter(directory, { after, ms: Math.random() * 300 });
        writes += told.settled.size;
        const next = await stateOf(directory, state.revision);
        expect(lost(state, told, next)).toEqual([]);
        if (next.resumed) resumed++;
        state = next;
      }
      expect(writes).toBeGreaterThan(kills);
      expect(resumed).toBeGreaterThan(0);
    },
    kills * 10_000,
  );

  it("keeps its uids and its token, and refuses a second process by name while it lives", async () => {
    const directory = await temporaryDirectory();
    const first = await embedded({ directory });
    const path = "/api/v1/namespaces/kube-system";
    const before = await ask(first.api, "GET", path);
    await first.close();
    await killedWriter(directory, { after: "ready", ms: 0 }, async (pid) => {
      await expect(startEmbedded({ directory })).rejects.toMatchObject({
        reason: "StateLocked",
        message: expect.stringContaining(`process ${pid}`),
        next: expect.stringContaining("choose another folder"),
      });
    });
    const token = readFileSync(join(directory, "admin-token"), "utf8").trim();
    const second = await embedded({ directory });
    expect(second.token).toBe(token);
    expect((await ask(second.api, "GET", path)).body.metadata).toEqual(before.body.metadata);
  });
});
