import { describe, expect, test } from "vitest";
import { kinds } from "../../../src/api/kinds.ts";
import { readFile } from "../../../src/pass/declared/file-reading.ts";

const storage = `apiVersion: storage.kubestash.com/v1alpha1
kind: BackupStorage
metadata:
  name: s3
  namespace: demo
spec:
  storage:
    provider: s3
    s3:
      endpoint: https://s3.example.org
      bucket: backups
      region: eu
      prefix: demo
      secretName: s3-secret
  usagePolicy:
    allowedNamespaces:
      from: All
  deletionPolicy: Delete
`;

const read = (text: string) => readFile("a.yaml", new TextEncoder().encode(text));
const told = (text: string) =>
  read(text).objects.flatMap(({ problems }) =>
    problems.map(({ severity, place, reason, message }) => `${severity} ${place?.line} ${reason} ${message}`),
  );

test("an object in order has no problem", () => {
  const { objects, problems, complete } = read(storage);
  expect([...problems, ...objects.flatMap((object) => object.problems)]).toEqual([]);
  expect(objects[0]?.document?.object.metadata.name).toBe("s3");
  expect(complete).toBe(true);
});

test("what is null is as good as absent, in the metadata and in the spec", () => {
  const nulls = "  labels: null\n  annotations: ~\n  finalizers:\n";
  const given = storage.replace("  namespace: demo\n", `  namespace: demo\n${nulls}`);
  expect(
    told(`${given}  runtimeSettings: null\n`.replace("      region: eu\n", "      region: null\n")),
  ).toEqual([]);
  expect(read(given).objects[0]?.document?.object).toEqual(read(storage).objects[0]?.document?.object);
  expect(told(storage.replace("name: s3", "name: null"))).toEqual([
    expect.stringContaining("metadata.name is missing"),
  ]);
});

describe("a mistake in a field is told with the field's line, and the object is left out", () => {
  test.each<[string, string, RegExp]>([
    [
      "an unknown field",
      storage.replace("bucket:", "buckt:"),
      /^error 11 UnknownField spec\.storage\.s3\.buckt/m,
    ],
    ["a choice that is none", storage.replace("Delete", "Remove"), /^error 18 Invalid spec\.deletionPolicy/],
    [
      "a wrong type",
      storage.replace("region: eu", "region: no"),
      /^error 12 Invalid spec\.storage\.s3\.region/,
    ],
    [
      "a missing provider",
      storage.replace("    provider: s3\n", ""),
      /^error 7 Required spec\.storage\.provider/,
    ],
    [
      "a provider of a later release",
      storage.replace("provider: s3", "provider: gcs"),
      /^error 8 NotSupportedYet .*gcs/m,
    ],
    [
      "a label that is no text",
      storage.replace("spec:", "  labels: {a: 1}\nspec:"),
      /^error 6 Invalid metadata\.labels\.a/,
    ],
  ])("%s", (_name, text, expected) => {
    expect(told(text).join("\n")).toMatch(expected);
    expect(read(text).objects[0]?.document).toBeUndefined();
    expect(read(text).complete).toBe(false);
  });

  test("the object is named in every problem", () => {
    const [object] = read(storage.replace("bucket:", "buckt:")).objects;
    expect(object?.problems.map((problem) => problem.object)).toContain("BackupStorage demo/s3");
    expect(object?.identity?.key).toBe("storage.kubestash.com/BackupStorage/demo/s3");
  });
});

test("the example of every kind is read without an error, or refused as not declared in Git", () => {
  const made = ["BackupSession", "BackupVerificationSession", "Repository", "Snapshot"];
  const refused = kinds.filter(({ example }) => {
    const { objects, problems } = read(JSON.stringify(example));
    return [...problems, ...objects.flatMap((object) => object.problems)].some(
      ({ severity }) => severity === "error",
    );
  });
  expect(refused.map(({ resource }) => resource.kind).sort()).toEqual(made);
});
