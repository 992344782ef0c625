import { expect, test } from "vitest";
import { type Settings, settingsFrom } from "../../../src/pass/declared/settings.ts";

const request = { cluster: "prod" };
const bytes = (text: string) => new TextEncoder().encode(text);
const clusters = "clusters:\n  prod:\n    path: clusters/prod\n";

function read(text: string | undefined, asked: { cluster: string; path?: string } = request): Settings {
  const reading = settingsFrom(text === undefined ? undefined : bytes(text), asked);
  if ("settings" in reading) return reading.settings;
  throw new Error(JSON.stringify(reading.problems));
}

function problems(text: string | undefined, asked = request): readonly string[] {
  const reading = settingsFrom(text === undefined ? undefined : bytes(text), asked);
  if ("settings" in reading) throw new Error("it was accepted");
  return reading.problems.map(({ place, message, next }) => `${place?.line ?? "-"}: ${message}. ${next}`);
}

test("a cluster's path is enough; the rest has defaults", () => {
  expect(read(clusters)).toEqual({
    cluster: "prod",
    path: "clusters/prod",
    record: { kind: "branch", branch: "holdfast-record" },
    pollMs: 60_000,
  });
});

test("every field is honoured", () => {
  const text = `${clusters}record: {folder: ./record/}\npoll: 1m30s\npolicy: {}\n`;
  expect(read(text)).toEqual({
    cluster: "prod",
    path: "clusters/prod",
    record: { kind: "folder", folder: "record" },
    pollMs: 90_000,
  });
  expect(read(`${clusters}record: {branch: audit}\n`).record).toEqual({ kind: "branch", branch: "audit" });
});

test("a path that is asked for goes before the file's, and needs no file", () => {
  expect(read(clusters, { cluster: "prod", path: "other/" }).path).toBe("other");
  expect(read(undefined, { cluster: "prod", path: "." }).path).toBe("");
});

test("a missing file is explained with an example that works", () => {
  const [problem = ""] = problems(undefined);
  expect(problem).toMatch(/there is no holdfast.yaml/);
  expect(read(problem.slice(problem.indexOf("clusters:")), { cluster: "production" }).path).toBe(
    "clusters/production",
  );
});

test.each<[string, string, RegExp]>([
  ["an unknown field", `${clusters}recrod: {branch: x}\n`, /^4: unknown field recrod; did you mean record\?/],
  [
    "an unknown field of a cluster",
    "clusters:\n  prod:\n    pth: x\n    path: y\n",
    /^3: unknown field clusters.prod.pth; did you mean path\?/,
  ],
  [
    "an unknown field of the record",
    `${clusters}record:\n  brnch: x\n`,
    /^5: unknown field record.brnch; did you mean branch\?/,
  ],
  [
    "a policy field of a later release",
    `${clusters}policy:\n  requireApproval: true\n`,
    /^5: policy.requireApproval is not supported/,
  ],
  ["a missing path", "clusters:\n  prod: {}\n", /^2: clusters.prod must have required properties path/],
  ["a path of another type", "clusters:\n  prod:\n    path: 7\n", /^3: clusters.prod.path must be string/],
  [
    "a path out of the repository",
    "clusters:\n  prod:\n    path: a/../../b\n",
    /^3: a folder leaves the repository/,
  ],
  ["both places for the record", `${clusters}record:\n  branch: a\n  folder: b\n`, /^4: record has both/],
  ["a branch that Git refuses", `${clusters}record:\n  branch: -x\n`, /^5: record.branch must match/],
  ["no duration", `${clusters}poll: soon\n`, /^4: poll is not a duration/],
  ["a duration of another type", `${clusters}poll: 5\n`, /^4: poll must be string/],
  ["a poll without pause", `${clusters}poll: 0s\n`, /^4: poll is not a duration of at least 1s/],
  [
    "another cluster only",
    "clusters:\n  prods:\n    path: x\n",
    /^1: the cluster prod is not declared; did you mean prods\?.*Known clusters: prods/,
  ],
  [
    "a cluster name that is no label",
    `${clusters}  B_:\n    path: x\n`,
    /^4: the cluster name B_ is not a DNS label/,
  ],
  ["a duplicate field", `${clusters}poll: 1m\npoll: 2m\n`, /^5: this key stands in the same map already/],
  ["broken YAML", "clusters: [\n", /^1: YAML syntax error|^2: YAML syntax error/],
  ["an empty file", "", /^1: the file declares nothing/],
  ["two documents", `${clusters}---\nclusters: {}\n`, /^5: a second document/],
])("%s is refused with its line", (_name, text, expected) => {
  expect(problems(text).join("\n")).toMatch(expected);
});

test("the names of two mistakes are both told", () => {
  expect(problems(`${clusters}a: 1\nb: 2\n`)).toHaveLength(2);
});
