import { expect, test } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { savedComponent } from "../../../src/mover/restore-source.ts";

function snapshotWith(path: string): KubeObject {
  const resticStats = [{ id: "0123456789abcdef", hostPath: "/data" }];
  return {
    apiVersion: "storage.kubestash.com/v1alpha1",
    kind: "Snapshot",
    metadata: { name: "taken", namespace: "shop" },
    status: { components: { dump: { driver: "Restic", path, resticStats } } },
  };
}

test("the path of a component leads below its Repository", () => {
  const { path } = savedComponent(snapshotWith("/repository/v1/often/dump/"), "dump", "Snapshot shop/taken");
  expect(path).toBe("repository/v1/often/dump");
});

test.each([
  "../other/repository/v1/often/dump",
  "/../x",
  "a/../../x",
  "a//b",
  "a/./b",
  "a\u0000b",
  "a\\b",
  "a\nb",
])("the path %j of a component is refused, and the Snapshot is named", (path) => {
  const refused = () => savedComponent(snapshotWith(path), "dump", "Snapshot shop/taken");
  expect(refused).toThrow(
    expect.objectContaining({
      reason: "PathInvalid",
      message: expect.stringContaining("the path of component dump of Snapshot shop/taken"),
    }),
  );
});
