import { describe, expect, test } from "vitest";
import {
  clusterFolder,
  entryPath,
  parseEntryPath,
  restoreEntryPath,
} from "../../../src/api/record-layout.ts";

const apiVersion = "core.kubestash.com/v1alpha1";
const created = "2026-11-20T23:59:59Z";

function object(
  kind: string,
  name: string,
  rest: { spec?: unknown; namespace?: string; creationTimestamp?: string } = {},
) {
  const { spec, namespace = "demo", creationTimestamp } = rest;
  return {
    apiVersion,
    kind,
    metadata: { name, namespace, ...(creationTimestamp === undefined ? {} : { creationTimestamp }) },
    ...(spec === undefined ? {} : { spec }),
  };
}

const session = {
  spec: { invoker: { kind: "BackupConfiguration", name: "orders" } },
  creationTimestamp: created,
};

describe("the layout of the record", () => {
  test.each([
    ["BackupStorage", "storages"],
    ["Repository", "repositories"],
    ["BackupConfiguration", "configurations"],
    ["RestoreSession", "restores"],
  ])("keeps a %s in the folder %s of its namespace", (kind, folder) => {
    expect(entryPath("prod", object(kind, "a.b"))).toBe(`clusters/prod/${folder}/demo/a.b.yaml`);
  });

  test("keeps sessions by configuration and day, Snapshots by Repository and day, days in UTC", () => {
    expect(entryPath("prod", object("BackupSession", "orders-1", session))).toBe(
      "clusters/prod/sessions/demo/orders/2026/11/20/orders-1.yaml",
    );
    const snapshot = { spec: { repository: "s3-orders" }, creationTimestamp: "2026-11-20T23:30:00-02:00" };
    expect(entryPath("prod", object("Snapshot", "s-1", snapshot))).toBe(
      "clusters/prod/snapshots/demo/s3-orders/2026/11/21/s-1.yaml",
    );
  });

  test("knows a restore's path before its object exists", () => {
    expect(restoreEntryPath("prod", "demo", "r")).toBe(entryPath("prod", object("RestoreSession", "r")));
    expect(clusterFolder("prod")).toBe("clusters/prod");
  });

  test("takes every path apart again", () => {
    expect(parseEntryPath("clusters/prod/restores/demo/r.yaml")).toEqual({
      cluster: "prod",
      kind: "RestoreSession",
      namespace: "demo",
      name: "r",
    });
    expect(parseEntryPath(entryPath("prod", object("BackupSession", "orders-1", session)))).toEqual({
      cluster: "prod",
      kind: "BackupSession",
      namespace: "demo",
      name: "orders-1",
      parent: "orders",
      day: "2026/11/20",
    });
  });

  test.each([
    "format.yaml",
    "README.md",
    "clusters/prod/restores/demo/r.yml",
    "clusters/prod/restores/demo/deeper/r.yaml",
    "clusters/prod/restores/r.yaml",
    "clusters/prod/unknown/demo/r.yaml",
    "clusters/prod/sessions/demo/orders/2026/11/orders-1.yaml",
    "clusters/prod/sessions/demo/orders/26/11/20/orders-1.yaml",
    "clusters/../restores/demo/r.yaml",
    "clusters/prod/constructor/demo/r.yaml",
  ])("takes %s for no entry", (path) => {
    expect(parseEntryPath(path)).toBeUndefined();
  });

  test.each(["..", "", "a/b", ".git", "a\\b", "A", "a\0", "-a", "a..b", "x".repeat(254)])(
    "makes no path of the name %j",
    (name) => {
      const refusal = expect.objectContaining({ reason: "RecordPathInvalid" });
      expect(() => entryPath("prod", object("Repository", name))).toThrow(refusal);
      expect(() => entryPath("prod", object("Repository", "a", { namespace: name }))).toThrow(refusal);
      expect(() => clusterFolder(name)).toThrow(refusal);
      const spec = { repository: name };
      expect(() => entryPath("prod", object("Snapshot", "a", { spec, creationTimestamp: created }))).toThrow(
        refusal,
      );
    },
  );

  test("makes no path of an object without its parent, its day or a place", () => {
    const { creationTimestamp, spec } = session;
    expect(() => entryPath("prod", object("BackupSession", "a", { creationTimestamp }))).toThrow(
      "belongs to",
    );
    expect(() => entryPath("prod", object("BackupSession", "a", { spec }))).toThrow("creationTimestamp");
    expect(() => entryPath("prod", object("Secret", "a"))).toThrow("a Secret has no place in the record");
  });
});
