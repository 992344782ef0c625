import { expect, test } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { observe } from "../../../src/pass/observed/observe.ts";
import { hasConsent } from "../../../src/pass/plan/deletion.ts";
import { missingSessionPassword } from "../../../src/pass/plan/missing-references.ts";
import { planPass } from "../../../src/pass/plan/plan.ts";
import { missingPassword } from "../../../src/pass/plan/secret-use.ts";
import { scriptedServer, sendJson, sendStatus } from "../ports-kube/scripted-server.ts";
import { objectOf, worldOf } from "./world-of.ts";

const password = objectOf("Secret", "demo/password");
const fine = repository("fine", { name: "password", namespace: "" });

function repository(name: string, encryptionSecret: unknown): KubeObject {
  return objectOf("Repository", `demo/${name}`, { spec: { encryptionSecret } });
}

/** What is observed of these objects by a server that has one Secret and forbids another. */
async function observed(...objects: readonly KubeObject[]) {
  const kubeSystem = objectOf("Namespace", "kube-system");
  const { kube, asked } = await scriptedServer(({ path }, response) => {
    if (path.endsWith("/secrets/forbidden")) return sendStatus(response, 403, "Forbidden");
    if (path.endsWith("/secrets/password"))
      return sendJson(response, { ...password, data: { RESTIC_PASSWORD: "" } });
    if (path.includes("/secrets/")) return sendStatus(response, 404, "NotFound");
    const plural = path.slice(path.lastIndexOf("/") + 1);
    const items = [kubeSystem, ...objects].filter(
      ({ kind }) => plural === `${kind.toLowerCase()}s` || plural === kind.toLowerCase().replace(/y$/, "ies"),
    );
    return sendJson(response, { kind: "List", metadata: { resourceVersion: "1" }, items });
  });
  const seen = await observe(kube, "holdfast");
  const reads = asked.map(({ path }) => path).filter((path) => path.includes("/secrets/"));
  return { ...seen, world: { ...worldOf(), observed: seen.observed }, reads };
}

const secretOf = (name: string) => ({ namespace: "demo", name });

test("an empty name or namespace of a Secret is none", async () => {
  const { problems, world, reads } = await observed(fine, repository("empty", { name: "", namespace: "" }));
  expect(problems).toEqual([]);
  expect(reads).toEqual(["/api/v1/namespaces/demo/secrets/password"]);
  expect(missingPassword(secretOf("password"), world)).toBeUndefined();
  const session = { repositories: [{ name: "r", encryptionSecret: { name: "" } }] };
  expect(missingSessionPassword(session, "demo", world)).toBe(
    "the encryptionSecret of repository r names no Secret",
  );
});

test("a Secret by an impossible name is named with who refers to it, and the others are read", async () => {
  const { problems, world } = await observed(repository("odd", { name: "a/b" }), fine);
  expect(problems).toMatchObject([
    { severity: "error", reason: "SecretNotReadable", object: "Repository demo/odd" },
  ]);
  expect(problems[0]?.message).toContain("Secret demo/a/b cannot be read");
  expect(problems[0]?.next).toContain("valid name");
  expect(missingPassword(secretOf("a/b"), world)).toContain("does not exist");
  expect(missingPassword(secretOf("password"), world)).toBeUndefined();
});

test("a Secret that may not be read is named with each that refers to it, and is neither ready nor gone", async () => {
  const storage = objectOf("BackupStorage", "demo/store", {
    metadata: { finalizers: ["kubestash.com/cleanup"] },
    spec: { storage: { provider: "s3", s3: { secretName: "forbidden", bucket: "b", endpoint: "e" } } },
  });
  const closed = repository("closed", { name: "forbidden" });
  const { problems, world } = await observed(storage, closed, fine);
  expect(new Set(problems.map(({ object }) => object))).toEqual(
    new Set(["BackupStorage demo/store", "Repository demo/closed"]),
  );
  expect(problems[0]?.message).toContain("Secret demo/forbidden cannot be read");
  expect(problems[0]?.next).toContain("get this Secret");
  expect(missingPassword(secretOf("forbidden"), world)).toBe("Secret demo/forbidden cannot be read");
  expect(world.observed.get({ apiVersion: "v1", kind: "Secret", ...secretOf("forbidden") })).toBeDefined();
  expect(missingPassword(secretOf("password"), world)).toBeUndefined();
  expect(planPass(world).problems).toContainEqual(
    expect.objectContaining({
      object: "BackupStorage demo/store",
      message: "Secret demo/forbidden cannot be read",
    }),
  );
});

test("who applied an annotation is observed with it, or no consent to a wipe would count", async () => {
  const { world } = await observed(
    objectOf("Repository", "demo/wiped", {
      metadata: {
        annotations: { "holdfast.dev/allow-wipe-out": "wiped" },
        managedFields: [
          {
            manager: "holdfast",
            fieldsV1: { "f:metadata": { "f:annotations": { "f:holdfast.dev/allow-wipe-out": {} } } },
          },
        ],
      },
    }),
  );
  const [wiped] = world.observed.list("Repository");
  expect(wiped !== undefined && hasConsent(wiped)).toBe(true);
});
