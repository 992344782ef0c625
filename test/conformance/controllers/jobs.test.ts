import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { resources } from "../../../src/embedded/controllers/resources.ts";
import { isTrue } from "../../../src/embedded/controllers/status.ts";
import { at, listAt, numberAt, textAt } from "../../../src/embedded/value.ts";
import { eventually } from "../../support/eventually.ts";
import { job, logOf, podsOf, until } from "./job-fixture.ts";
import { image, onEveryServer } from "./servers.ts";

onEveryServer("a Job's container", (get) => {
  test("a Job runs its container as a process and is Complete", async () => {
    const world = get();
    await job(world, "says", ["say", "hello", "$(GREETING)"], {
      container: { env: [{ name: "GREETING", value: "world" }] },
    });
    const done = await until(world, "says", "Complete");
    expect(numberAt(done, "status", "succeeded")).toBe(1);
    expect(isTrue(done, "SuccessCriteriaMet")).toBe(true);
    expect(textAt(done, "status", "completionTime")).not.toBe("");
    const [pod, ...others] = await podsOf(world, "says");
    if (pod === undefined) throw new Error("the pod is gone");
    expect(others).toEqual([]);
    expect(textAt(pod, "status", "phase")).toBe("Succeeded");
    expect(pod.metadata.finalizers ?? []).toEqual([]);
    expect(textAt(pod, "spec", "nodeName")).toBe(world.node);
    expect(await logOf(world, pod)).toBe("hello world\n");
  });

  test("a failing container fails its Job and its last words are in the pod's status", async () => {
    const world = get();
    await job(world, "fails", ["fail"]);
    const done = await until(world, "fails", "Failed");
    expect(numberAt(done, "status", "failed")).toBe(1);
    const failed = listAt(done, "status", "conditions").find((one) => textAt(one, "type") === "Failed");
    expect(textAt(failed, "reason")).toBe("BackoffLimitExceeded");
    const [pod] = await podsOf(world, "fails");
    const terminated = at(listAt(pod, "status", "containerStatuses")[0], "state", "terminated");
    expect(terminated).toMatchObject({ exitCode: 3, reason: "Error", message: "the disk is on fire" });
  });

  test("FallbackToLogsOnError takes the last words from the log", async () => {
    const world = get();
    await job(world, "loud", ["fail-aloud"], {
      container: { terminationMessagePolicy: "FallbackToLogsOnError" },
    });
    await until(world, "loud", "Failed");
    const [pod] = await podsOf(world, "loud");
    const terminated = at(listAt(pod, "status", "containerStatuses")[0], "state", "terminated");
    expect(terminated).toMatchObject({ exitCode: 1, message: "loud words\n" });
  });

  test("a Job of a foreign image fails by name and says what to do", async () => {
    const world = get();
    await job(world, "foreign", ["x"], { container: { image: "docker.io/library/busybox:1" } });
    await until(world, "foreign", "Failed");
    const [pod] = await podsOf(world, "foreign");
    expect(textAt(pod, "status", "reason")).toBe("ForeignImage");
    expect(textAt(pod, "status", "message")).toContain("busybox");
    expect(textAt(pod, "status", "message")).toContain("run this on a cluster with nodes");
  });
});

onEveryServer("a Job's volumes and variables", (get) => {
  test("a pod waits for a Secret that is missing and starts when it is there", async () => {
    const world = get();
    const container = {
      env: [{ name: "PASSWORD", valueFrom: { secretKeyRef: { name: "late", key: "password" } } }],
    };
    await job(world, "waits", ["environment", "PASSWORD"], { container });
    await eventually(async () => {
      const [pod] = await podsOf(world, "waits");
      const waiting = at(listAt(pod, "status", "containerStatuses")[0], "state", "waiting");
      expect(waiting).toMatchObject({
        reason: "CreateContainerConfigError",
        message: 'secret "late" not found',
      });
      expect(textAt(pod, "status", "phase")).toBe("Pending");
    });
    await world.client.create(resources.secrets, {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { namespace: world.namespace, name: "late" },
      stringData: { password: "s3cret" },
    });
    await until(world, "waits", "Complete");
    const [pod] = await podsOf(world, "waits");
    if (pod === undefined) throw new Error("the pod is gone");
    expect(JSON.parse(await logOf(world, pod))).toEqual({ PASSWORD: "s3cret" });
  });

  test("an init container hands an emptyDir to the main container", async () => {
    const world = get();
    const mount = { name: "shared", mountPath: "/shared" };
    await world.client.create(resources.configMaps, {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { namespace: world.namespace, name: "words" },
      data: { "a.txt": "from the map" },
    });
    await job(world, "inits", ["say", "ok"], {
      container: {
        volumeMounts: [mount, { name: "out", mountPath: "/out" }],
        args: ["copy", "/shared/b.txt", "/out/c.txt"],
      },
      pod: {
        volumes: [
          { name: "shared", emptyDir: {} },
          { name: "out", hostPath: { path: world.stateDirectory } },
          { name: "words", configMap: { name: "words" } },
        ],
        initContainers: [
          {
            name: "init",
            image,
            args: ["copy", "/words/a.txt", "/shared/b.txt"],
            volumeMounts: [mount, { name: "words", mountPath: "/words" }],
          },
        ],
      },
    });
    await until(world, "inits", "Complete");
    const [pod] = await podsOf(world, "inits");
    expect(await readFile(join(world.stateDirectory, "c.txt"), "utf8")).toBe("from the map");
    // What a finished pod had of its own goes; its log stays.
    const path = join(world.stateDirectory, "pods", pod?.metadata.uid ?? "");
    await eventually(async () => {
      expect((await readdir(path)).toSorted()).toEqual(["logs", "processes"]);
    });
  });
});

onEveryServer("the log of a running container", (get) => {
  test("it can be followed until the container has ended", async () => {
    const world = get();
    await job(world, "followed", ["wait"]);
    const pod = await eventually(async () => {
      const [found] = await podsOf(world, "followed");
      if (found === undefined || textAt(found, "status", "phase") !== "Running")
        throw new Error("not running");
      expect(await logOf(world, found)).toBe("waiting\n");
      return found;
    });
    const query = { namespace: world.namespace, pod: pod.metadata.name, container: "main", follow: true };
    const stream = await world.controllers().podLog(query, new AbortController().signal);
    if (stream === undefined) throw new Error("there is no log");
    const whole = text(stream);
    await world.client.delete(resources.jobs, { namespace: world.namespace, name: "followed" });
    expect(await whole).toBe("waiting\n");
  });

  test("a container that has not run has none", async () => {
    const world = get();
    const query = { namespace: world.namespace, pod: "nobody", container: "main", follow: false };
    expect(await world.controllers().podLog(query, new AbortController().signal)).toBeUndefined();
  });
});

onEveryServer("the end of a Job", (get) => {
  test("restartPolicy OnFailure restarts in the same pod", async () => {
    const world = get();
    await job(world, "again", ["once-then-succeed", "/tmp/runs"], {
      pod: { restartPolicy: "OnFailure" },
      spec: { backoffLimit: 3 },
    });
    const done = await until(world, "again", "Complete");
    expect(numberAt(done, "status", "failed")).toBeUndefined();
    const [pod] = await podsOf(world, "again");
    const status = listAt(pod, "status", "containerStatuses")[0];
    expect(numberAt(status, "restartCount")).toBe(1);
    expect(at(status, "lastState", "terminated")).toMatchObject({ exitCode: 1 });
    const query = { namespace: world.namespace, pod: pod?.metadata.name ?? "", container: "main" };
    const read = async (part: object) => {
      const log = await world.controllers().podLog({ ...query, ...part }, new AbortController().signal);
      return log === undefined ? undefined : text(log);
    };
    expect(await read({})).toBe("run 2\nend of run 2\n");
    expect(await read({ previous: true })).toBe("run 1\nend of run 1\n");
    expect(await read({ tailLines: 1 })).toBe("end of run 2\n");
    expect(await read({ tailLines: 1, limitBytes: 3, previous: true })).toBe("end");
  });

  test("a Job past its activeDeadlineSeconds is ended and Failed", async () => {
    const world = get();
    await job(world, "late", ["wait"], { spec: { activeDeadlineSeconds: 2 } });
    const done = await until(world, "late", "Failed");
    const failed = listAt(done, "status", "conditions").find((one) => textAt(one, "type") === "Failed");
    expect(textAt(failed, "reason")).toBe("DeadlineExceeded");
    await eventually(async () => {
      const pods = await podsOf(world, "late");
      expect(pods.filter((pod) => textAt(pod, "status", "phase") === "Running")).toEqual([]);
    });
  });

  test("deleting a Job ends its process and takes its pod's directory", async () => {
    const world = get();
    await job(world, "deleted", ["wait"]);
    const uid = await eventually(async () => {
      const [pod] = await podsOf(world, "deleted");
      expect(textAt(pod, "status", "phase")).toBe("Running");
      return pod?.metadata.uid ?? "";
    });
    const target = { namespace: world.namespace, name: "deleted" };
    await world.client.delete(resources.jobs, target, { propagation: "Background" });
    await eventually(async () => {
      expect(await podsOf(world, "deleted")).toEqual([]);
      await expect(stat(join(world.stateDirectory, "pods", uid))).rejects.toThrow("ENOENT");
    });
  });

  test("a pod past its own activeDeadlineSeconds is ended and Failed", async () => {
    const world = get();
    await job(world, "overdue", ["wait"], { pod: { activeDeadlineSeconds: 1 } });
    await until(world, "overdue", "Failed");
    const [pod] = await podsOf(world, "overdue");
    expect(at(pod, "status")).toMatchObject({ phase: "Failed", reason: "DeadlineExceeded" });
  });

  test("ttlSecondsAfterFinished removes a finished Job", async () => {
    const world = get();
    await job(world, "brief", ["say", "bye"], { spec: { ttlSecondsAfterFinished: 1 } });
    await eventually(async () => {
      expect(
        await world.client.get(resources.jobs, { namespace: world.namespace, name: "brief" }),
      ).toBeUndefined();
    });
  });
});
