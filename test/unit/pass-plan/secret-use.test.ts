import { describe, expect, test } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { restoreErrors } from "../../../src/pass/plan/restore-rules.ts";
import { secretRefusal } from "../../../src/pass/plan/secret-use.ts";
import { restoreSession } from "./model/scene.ts";
import { objectOf, worldOf } from "./world-of.ts";

const from = (policy: string): KubeObject =>
  objectOf("BackupStorage", "vault/store", {
    spec: { usagePolicy: { allowedNamespaces: { from: policy } } },
  });
const secret = (place: string, usable?: string): KubeObject => ({
  ...objectOf("Secret", place, {
    metadata: usable === undefined ? {} : { annotations: { "holdfast.dev/usable-from": usable } },
  }),
  keys: ["RESTIC_PASSWORD"],
});
const app = objectOf("Namespace", "app");

function refused(place: string, storage: KubeObject | undefined, usable?: string): boolean {
  const [namespace = "", name = ""] = place.split("/");
  const world = worldOf(app, secret(place, usable));
  return secretRefusal({ namespace, name }, "app", storage, world) !== undefined;
}

describe("an encryption Secret may be used from a namespace", () => {
  test("that is its own", () => {
    expect(refused("app/key", undefined)).toBe(false);
  });

  test("that may use the storage beside it", () => {
    expect(refused("vault/key", from("All"))).toBe(false);
    expect(refused("vault/key", from("Same"))).toBe(true);
    expect(refused("vault/key", undefined)).toBe(true);
    expect(refused("keys/key", from("All"))).toBe(true);
  });

  test("that its annotation names", () => {
    expect(refused("keys/key", from("All"), "web, app")).toBe(false);
    expect(refused("keys/key", from("All"), "*")).toBe(false);
    expect(refused("keys/key", from("All"), "apps")).toBe(true);
  });
});

test("a restore out of another namespace needs that namespace's Secret to allow it", () => {
  const { spec } = restoreSession("back", "latest");
  const dataSource = { namespace: "shop", repository: "web-repo", snapshot: "latest" };
  const restore = objectOf("RestoreSession", "app/back", { spec: { ...Object(spec), dataSource } });
  const repository = objectOf("Repository", "shop/web-repo", {
    spec: { storageRef: { name: "store", namespace: "vault" }, encryptionSecret: { name: "key" } },
  });
  const errors = (usable?: string) =>
    restoreErrors(restore, worldOf(app, from("All"), repository, secret("shop/key", usable), restore));
  expect(errors()).toEqual([
    expect.stringContaining(
      "Secret shop/key may not be used from namespace app. Name a Secret of this namespace",
    ),
  ]);
  expect(errors("app")).toEqual([]);
});
