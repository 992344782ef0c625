import { expect, test } from "vitest";
import { asRecord, records } from "../../../src/base/json.ts";
import { executorJob } from "../../../src/pass/plan/executor-job.ts";
import { wholePart } from "../../../src/pass/plan/targets.ts";
import { objectOf, worldOf } from "./world-of.ts";

/** The containers of the Job of a task, with this addon and these settings of its Function. */
function containers(
  addonInfo: Readonly<Record<string, unknown>>,
  runtimeSettings: Readonly<Record<string, unknown>> = {},
) {
  const task = {
    name: "logical-backup",
    driver: "Restic",
    singleton: true,
    values: {},
    functionSpec: { image: "own", args: ["job"], runtimeSettings },
    volumes: [],
    mounts: [],
    targetVolumes: {},
  };
  const session = objectOf("BackupSession", "app/web-1");
  const part = wholePart("dump");
  const request = { session, name: "web-1", labels: {}, task, part, addonInfo };
  const job = executorJob({ ...request, variables: {}, storages: [], defaultUser: {} }, worldOf());
  return records(asRecord(asRecord(asRecord(job["spec"])["template"])["spec"])["containers"]);
}

test("a container of the jobTemplate that is called like the task's adds to it, and another runs beside it", () => {
  const resources = { limits: { memory: "1Gi" } };
  const users = [
    { name: "logical-backup-0", resources, env: [{ name: "A", value: "1" }] },
    { name: "side", image: "side" },
  ];
  const [own, side, ...more] = containers({ jobTemplate: { spec: { containers: users } } });
  expect(more).toEqual([]);
  expect(side).toEqual(users[1]);
  expect(own).toMatchObject({ name: "logical-backup-0", image: "own", args: ["job"], resources });
  expect(own?.["env"]).toEqual([
    { name: "A", value: "1" },
    { name: "COMPONENT_NAME", value: "dump" },
  ]);
  expect(records(own?.["volumeMounts"]).map(({ name }) => name)).toEqual(["kubestash-tmp-volume"]);
});

test("variables of the Function's settings and of the addon's are both there", () => {
  const [own] = containers(
    { containerRuntimeSettings: { env: [{ name: "B" }], envFrom: [{ prefix: "b" }] } },
    { env: [{ name: "A" }], envFrom: [{ prefix: "a" }] },
  );
  expect(records(own?.["env"]).map(({ name }) => name)).toEqual(["A", "B", "COMPONENT_NAME"]);
  expect(own?.["envFrom"]).toEqual([{ prefix: "a" }, { prefix: "b" }]);
});
