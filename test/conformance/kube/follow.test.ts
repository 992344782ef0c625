import { expect, it } from "vitest";
import { connectKube } from "../../../src/ports/kube/connect-kube.ts";
import type { FollowTimes } from "../../../src/ports/kube/follow.ts";
import type { Change } from "../../../src/ports/kube/kube.ts";
import { configMap, configMaps, write } from "./fixtures.ts";
import { kubeServers, type Server } from "./servers.ts";

type Following = {
  readonly seen: string[];
  readonly errors: unknown[];
  /** Waits until so many changes were seen. */
  until(count: number): Promise<void>;
  stop(): Promise<void>;
};

async function follow(
  server: Server,
  label: string,
  followTimes: Partial<FollowTimes> = {},
): Promise<Following> {
  const kube = await connectKube({ kubeconfigPath: server.kubeconfigPath, followTimes });
  const stop = new AbortController();
  const seen: string[] = [];
  const errors: unknown[] = [];
  const options = {
    namespace: server.namespace,
    labelSelector: `follow=${label}`,
    signal: stop.signal,
    onError: (error: unknown) => errors.push(error),
  };
  const reading = (async () => {
    for await (const change of kube.follow(configMaps, options)) seen.push(textOf(change));
  })();
  return {
    seen,
    errors,
    until: async (count) => {
      const deadline = Date.now() + 20_000;
      while (seen.length < count && Date.now() < deadline)
        await new Promise((resolve) => setTimeout(resolve, 20));
      if (seen.length < count) throw new Error(`only: ${seen.join(", ")}`);
    },
    stop: async () => {
      stop.abort();
      await reading;
      await kube.close();
    },
  };
}

function textOf(change: Change): string {
  if (change.kind !== "listed") return `${change.kind} ${change.object.metadata.name}`;
  return `listed ${change.items.map((item) => item.metadata.name).join(" ")}`;
}

const onEveryServer = kubeServers();

onEveryServer("following a collection", (server) => {
  const make = (name: string, label: string) =>
    server().kube.create(
      configMaps,
      configMap(server().namespace, name, {}, { labels: { follow: label } }),
      write,
    );
  const remove = (name: string) => server().kube.delete(configMaps, { namespace: server().namespace, name });

  it.concurrent("lists first and then tells every change", async () => {
    await make("basic-a", "basic");
    const following = await follow(server(), "basic");
    await following.until(1);
    await make("basic-b", "basic");
    const name = { namespace: server().namespace, name: "basic-b" };
    await server().kube.mergePatch(configMaps, name, { data: { a: "1" } }, write);
    await remove("basic-b");
    await following.until(4);
    await following.stop();
    expect(following.seen).toEqual(["listed basic-a", "put basic-b", "put basic-b", "gone basic-b"]);
    expect(following.errors).toEqual([]);
  });

  it.concurrent("goes on after the server ended the watch, without another list", async () => {
    const following = await follow(server(), "resumed", { watchMs: 500 });
    await following.until(1);
    for (const n of [1, 2, 3]) {
      await make(`resumed-${n}`, "resumed");
      await new Promise((resolve) => setTimeout(resolve, 700));
    }
    await following.until(4);
    await following.stop();
    expect(following.seen).toEqual(["listed ", "put resumed-1", "put resumed-2", "put resumed-3"]);
    expect(following.errors).toEqual([]);
  });

  it.concurrent("lists again when it is time", async () => {
    await make("relisted", "relist");
    const following = await follow(server(), "relist", { relistMs: 300 });
    await following.until(3);
    await following.stop();
    expect(following.seen.slice(0, 3)).toEqual(["listed relisted", "listed relisted", "listed relisted"]);
    expect(following.errors).toEqual([]);
  });

  it.concurrent("reconnects after a silence and loses nothing", async () => {
    const following = await follow(server(), "silence", { silenceMs: 300 });
    await following.until(1);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await make("after-silence", "silence");
    await following.until(2);
    await following.stop();
    expect(following.seen).toEqual(["listed ", "put after-silence"]);
  });

  it.concurrent("ends when it is told to, while it waits", async () => {
    const following = await follow(server(), "ended");
    await following.until(1);
    const began = performance.now();
    await following.stop();
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(following.errors).toEqual([]);
  });
});
