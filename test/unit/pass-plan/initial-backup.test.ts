import { describe, expect, test } from "vitest";
import { catalogueAddons, catalogueFunctions } from "../../../src/api/catalogue.ts";
import type { KubeObject } from "../../../src/api/meta.ts";
import { asRecord, records } from "../../../src/base/json.ts";
import { initialBackup } from "../../../src/pass/plan/kinds/initial-backup.ts";
import { deployment, restoreSession, scene, shopConfiguration } from "./model/scene.ts";
import { objectOf, worldOf } from "./world-of.ts";

const web = objectOf("BackupConfiguration", "app/web", {
  spec: shopConfiguration(scene)["spec"],
  status: { phase: "Ready" },
});
const around: readonly KubeObject[] = [
  web,
  ...catalogueAddons,
  ...catalogueFunctions,
  deployment("app", "web"),
  { ...objectOf("Secret", "app/restic-key"), keys: ["RESTIC_PASSWORD"] },
  objectOf("Repository", "app/web-repo", { status: { phase: "Ready" } }),
];

/** Whether the session's first backup is to be made, and what its condition says when that is decided. */
function answer(session: string, ...objects: readonly KubeObject[]) {
  const wanted = records(asRecord(web["spec"])["sessions"]).find((one) => one["name"] === session) ?? {};
  const { conditions, due } = initialBackup(web, wanted, [], worldOf(...around, ...objects));
  return due === undefined ? (conditions[0]?.message ?? "later") : "due";
}

function snapshot(session: string, phase: string, ...components: readonly string[]): KubeObject {
  const parts = components.map((name) => [name, { phase: phase === "Failed" ? "Failed" : "Succeeded" }]);
  return objectOf("Snapshot", `app/${session}-${phase.toLowerCase()}`, {
    spec: { repository: "web-repo", session },
    status: { phase, components: Object.fromEntries(parts) },
  });
}

describe("the initial backup of a session", () => {
  test("is made into a Repository that holds nothing", () => {
    expect(answer("often")).toBe("due");
  });

  test("is not made where a component of it is held, whatever session saved that", () => {
    const said = "a Repository holds a Snapshot of dump already, so none was made";
    expect(answer("files", snapshot("often", "Succeeded", "dump", "manifest"))).toBe(said);
    expect(answer("often", snapshot("files", "Succeeded", "dump"))).toBe(said);
    expect(answer("often", snapshot("gone", "Succeeded", "dump"))).toBe(said);
  });

  test("is made where other components are held, or none of a backup that failed", () => {
    expect(answer("files", snapshot("manifests", "Succeeded", "manifest"))).toBe("due");
    expect(answer("files", snapshot("often", "Failed", "dump", "manifest"))).toBe("due");
  });

  test("waits for a Snapshot that is under way, and for what it would save", () => {
    expect(answer("files", snapshot("often", "Running"))).toBe("later");
    const bare = [{ ...deployment("app", "web"), kind: "DaemonSet" }];
    const target = { kind: "DaemonSet", name: "web", namespace: "app" };
    const other = { ...web, spec: { ...asRecord(web["spec"]), target } };
    const [session = {}] = records(asRecord(web["spec"])["sessions"]).slice(1);
    expect(initialBackup(other, session, [], worldOf(...around, ...bare)).due).toBeUndefined();
  });

  test.each([
    ["", "later"],
    ["Pending", "later"],
    ["Running", "later"],
    ["Invalid", "later"],
    ["Succeeded", "due"],
    ["Failed", "due"],
    ["Unknown", "due"],
  ])("beside a restore of the same target that is %j is %s", (phase, expected) => {
    const { spec } = restoreSession("back", "latest");
    expect(answer("often", objectOf("RestoreSession", "app/back", { spec, status: { phase } }))).toBe(
      expected,
    );
  });

  test("is made once, also when its BackupSession failed", () => {
    const spec = { invoker: { kind: "BackupConfiguration", name: "web" }, session: "often" };
    const session = objectOf("BackupSession", "app/web-often-1", { spec, status: { phase: "Failed" } });
    expect(answer("often", session)).toBe("");
  });
});
