import { describe, expect, test } from "vitest";
import { pathText } from "../../../src/api/field-error.ts";
import { kinds } from "../../../src/api/kinds.ts";
import type { KubeObject } from "../../../src/api/meta.ts";
import { validateObject } from "../../../src/api/validate.ts";
import { changed, kubestashObject, kubestashObjects } from "../../fixtures/kubestash/kubestash-objects.ts";
import { refusedObjects } from "../../fixtures/kubestash/refused-objects.ts";

/** `error spec.x: message` */
function sentences(object: KubeObject): readonly string[] {
  return validateObject(object).map(
    (one) => `${one.severity} ${pathText(one.path)} ${one.reason}: ${one.message}`,
  );
}

const shopWeb = kubestashObject("BackupConfiguration/shop-web");
const cluster = kubestashObject("BackupConfiguration/cluster");
const minio = kubestashObject("BackupStorage/minio");
const shelf = kubestashObject("BackupStorage/shelf");
const webBack = kubestashObject("RestoreSession/web-back");
const policy = kubestashObject("RetentionPolicy/two-weeks");
const session = ["spec", "sessions", 0];
const repository = [...session, "repositories", 0];

/** Of a restore whose target is in another namespace. */
function elsewhere(addon: string, task: string, changes: Readonly<Record<string, unknown>> = {}) {
  return {
    target: { apiGroup: "apps", kind: "Deployment", name: "web", namespace: "elsewhere" },
    dataSource: { repository: "r", snapshot: "latest" },
    addon: { name: addon, tasks: [{ name: task, ...changes }] },
  };
}

test("the examples of the kinds are right", () => {
  const found = kinds.flatMap((kind) => validateObject(kind.example));
  expect(found.filter((one) => one.path.length > 0 || one.reason !== "NotSupportedYet")).toEqual([]);
});

test("no fixture has an error", () => {
  const found = [...kubestashObjects().values()].flatMap((object) => validateObject(object));
  expect(found.filter((one) => one.severity === "error")).toEqual([]);
});

test.each(kinds.map(({ example }) => example))(
  "judges a $kind whose spec is absent, null or empty",
  (example) => {
    const { spec: _spec, status: _status, ...bare } = example;
    for (const given of [bare, { ...bare, spec: null }, { ...bare, spec: {} }])
      expect(Array.isArray(validateObject(given as KubeObject))).toBe(true);
  },
);

test("objects of other kinds are not ours to judge", () => {
  expect(validateObject({ apiVersion: "v1", kind: "Secret", metadata: { name: "x" }, dta: {} })).toEqual([]);
});

test("says of a whole number beyond 2^53 that it is too large, or no text", () => {
  const large = 2n ** 63n - 1n;
  expect(sentences(changed(policy, ["spec", "successfulSnapshots", "last"], large))).toEqual([
    "error spec.successfulSnapshots.last Invalid: 9223372036854775807 is too large",
  ]);
  expect(sentences(changed(policy, ["spec", "maxRetentionPeriod"], large))).toEqual([
    "error spec.maxRetentionPeriod Invalid: must be a text, and is a number",
  ]);
});

test.each(refusedObjects())("refuses $title, as an API server does", ({ object, path, reason }) => {
  expect(validateObject(object)).toContainEqual(expect.objectContaining({ path, reason, severity: "error" }));
});

test("a misspelt field is named with the one that is probably meant", () => {
  const [error] = validateObject(changed(minio, ["spec", "storage", "s3", "endpont"], "http://x"));
  expect(error).toEqual({
    path: ["spec", "storage", "s3", "endpont"],
    message: "there is no field endpont here",
    severity: "error",
    reason: "UnknownField",
    next: "Write endpoint if that is meant.",
  });
  const [choice] = validateObject(changed(minio, ["spec", "deletionPolicy"], "Wipeout"));
  expect(choice?.next).toBe("Write WipeOut if that is meant.");
});

test("a duration longer than ten years is refused where it stands", () => {
  const sentence = (path: string) => `error ${path} Invalid: "9999999999h" is longer than 10 years`;
  const long = "9999999999h";
  expect(sentences(changed(shopWeb, [...session, "backupTimeout"], long))).toContain(
    sentence("spec.sessions[0].backupTimeout"),
  );
  expect(sentences(changed(shopWeb, [...session, "retryConfig", "delay"], long))).toContain(
    sentence("spec.sessions[0].retryConfig.delay"),
  );
  expect(sentences(changed(webBack, ["spec", "restoreTimeout"], long))).toEqual([
    sentence("spec.restoreTimeout"),
  ]);
  const endless = `${"9".repeat(400)}h`;
  expect(sentences(changed(webBack, ["spec", "restoreTimeout"], endless))[0]).toContain("longer than");
  expect(sentences(changed(webBack, ["spec", "restoreTimeout"], "87600h"))).toEqual([]);
});

test("every mistake is named, however many there are", () => {
  const fields = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`wrong${index}`, 1]));
  expect(
    validateObject(changed(shopWeb, ["spec", "target"], { kind: "Deployment", name: "web", ...fields })),
  ).toHaveLength(31);
});

test("a null counts as absent, as the API server takes it", () => {
  expect(sentences(changed(shopWeb, ["spec", "target"], null))).toEqual(
    sentences(changed(shopWeb, ["spec", "target"], undefined)),
  );
  expect(sentences(changed(minio, ["spec", "storage", "provider"], null))).toContain(
    "error spec.storage.provider Required: provider is missing",
  );
});

test("names that every JavaScript object has are unknown fields like others", () => {
  const object = changed(minio, ["spec", "storage", "s3", "constructor"], "x");
  expect(sentences(object)).toContain(
    "error spec.storage.s3.constructor UnknownField: there is no field constructor here",
  );
});

test("metadata is looked at too", () => {
  const wrong = changed(changed(minio, ["metadata", "label"], {}), ["metadata", "labels"], {
    a: 1,
    b: "x y",
  });
  expect(sentences(wrong)).toEqual([
    "error metadata.label UnknownField: there is no field label here",
    "error metadata.labels.a Invalid: must be a text",
    "error metadata.labels.b Invalid: is no value that a label can have",
  ]);
});

const brokenRules: readonly [string, KubeObject, string][] = [
  [
    "a provider without its field",
    changed(minio, ["spec", "storage", "provider"], "local"),
    "error spec.storage.local Required: local is missing, and it is the provider",
  ],
  [
    "fields of another provider",
    changed(minio, ["spec", "storage", "gcs"], { bucket: "b" }),
    "warning spec.storage.gcs Invalid: is not read, because the provider is s3",
  ],
  [
    "credentials in the endpoint",
    changed(minio, ["spec", "storage", "s3", "endpoint"], "http://a:b@minio"),
    "error spec.storage.s3.endpoint Invalid: must not hold credentials or a query",
  ],
  [
    "an endpoint of another scheme",
    changed(minio, ["spec", "storage", "s3", "endpoint"], "ftp://minio"),
    "error spec.storage.s3.endpoint Invalid: is no host and no http or https URL",
  ],
  [
    "two volume sources",
    changed(shelf, ["spec", "storage", "local", "hostPath"], { path: "/x" }),
    "error spec.storage.local Invalid: must have one volume source, and has 2",
  ],
  [
    "no volume source",
    changed(shelf, ["spec", "storage", "local", "nfs"], undefined),
    "error spec.storage.local Invalid: must have one volume source, and has 0",
  ],
  [
    "a relative mount path",
    changed(shelf, ["spec", "storage", "local", "mountPath"], "shelf"),
    "error spec.storage.local.mountPath Invalid: must be an absolute path without `..`",
  ],
  [
    "a sub path that leaves the volume",
    changed(shelf, ["spec", "storage", "local", "subPath"], "a/../../b"),
    "error spec.storage.local.subPath Invalid: must be a relative path without `..`",
  ],
  [
    "a selector that is missing",
    changed(minio, ["spec", "usagePolicy", "allowedNamespaces"], { from: "Selector" }),
    "error spec.usagePolicy.allowedNamespaces.selector Required: selector is missing, and from is Selector",
  ],
  [
    "a period that is none",
    changed(policy, ["spec", "maxRetentionPeriod"], "2 weeks"),
    'error spec.maxRetentionPeriod Invalid: "2 weeks" is no retention period',
  ],
  [
    "a period of nothing",
    changed(policy, ["spec", "maxRetentionPeriod"], "0d"),
    'error spec.maxRetentionPeriod Invalid: "0d" is no retention period',
  ],
  [
    "a policy that says nothing",
    changed(policy, ["spec"], {}),
    "error spec Required: neither maxRetentionPeriod nor successfulSnapshots is there",
  ],
  [
    "a repository that leaves the storage",
    changed(kubestashObject("Repository/shop-web-repo"), ["spec", "path"], "a/../.."),
    "error spec.path Invalid: must not hold the parts `.` and `..`",
  ],
  [
    "a second backend of a name",
    changed(shopWeb, ["spec", "backends"], [{ name: "main" }, { name: "main" }]),
    "error spec.backends[1].name Conflict: the backend main is there twice",
  ],
  [
    "a nameless backend among others",
    changed(shopWeb, ["spec", "backends"], [{ name: "main" }, { name: "" }]),
    "error spec.backends[1].name Required: a backend needs a name when there are several",
  ],
  [
    "a session without a scheduler",
    changed(shopWeb, [...session, "scheduler"], undefined),
    "error spec.sessions[0].scheduler Required: the session hourly has no scheduler",
  ],
  [
    "a schedule with seconds",
    changed(shopWeb, [...session, "scheduler", "schedule"], "0 7 * * * *"),
    'error spec.sessions[0].scheduler.schedule Invalid: "0 7 * * * *" is no schedule',
  ],
  [
    "a session name with a slash",
    changed(shopWeb, [...session, "name"], "a/b"),
    'error spec.sessions[0].name Invalid: "a/b" is no name of lower-case letters, digits and -',
  ],
  [
    "a number as parameter",
    changed(shopWeb, [...session, "addon", "tasks", 0, "params", "paths"], 7),
    "error spec.sessions[0].addon.tasks[0].params.paths Invalid: must be a text",
  ],
  [
    "a task twice",
    changed(shopWeb, [...session, "addon", "tasks"], [{ name: "a" }, { name: "a" }]),
    "error spec.sessions[0].addon.tasks[1].name Conflict: the task a is there twice",
  ],
  [
    "a backend that is not declared",
    changed(shopWeb, [...repository, "backend"], "other"),
    "error spec.sessions[0].repositories[0].backend Invalid: there is no backend other",
  ],
  [
    "a backend that is not said",
    changed(
      changed(shopWeb, [...repository, "backend"], undefined),
      ["spec", "backends"],
      [{ name: "a" }, { name: "b" }],
    ),
    "error spec.sessions[0].repositories[0].backend Required: backend is missing, and there are several",
  ],
  [
    "a directory that is the root",
    changed(shopWeb, [...repository, "directory"], "//"),
    "error spec.sessions[0].repositories[0].directory Invalid: must name a directory",
  ],
  [
    "a directory that leaves the storage",
    changed(shopWeb, [...repository, "directory"], "/a/../b"),
    "error spec.sessions[0].repositories[0].directory Invalid: must not hold the parts `.` and `..`",
  ],
  [
    "a repository without encryption",
    changed(shopWeb, [...repository, "encryptionSecret"], undefined),
    "error spec.sessions[0].repositories[0].encryptionSecret Required: encryptionSecret is missing, and restic encrypts always",
  ],
  [
    "a target without a kind",
    changed(shopWeb, ["spec", "target"], { name: "web" }),
    "error spec.target.kind Required: kind is missing",
  ],
  [
    "a target of another group",
    changed(webBack, ["spec", "target", "apiGroup"], "argoproj.io"),
    'error spec.target.apiGroup Invalid: "argoproj.io" is not the group of a Deployment',
  ],
  [
    "a restore from nothing",
    changed(webBack, ["spec", "dataSource"], { repository: "r" }),
    "error spec.dataSource.snapshot Required: snapshot is missing",
  ],
  [
    "a task that would mount the volumes of a target elsewhere",
    changed(webBack, ["spec"], elsewhere("workload-addon", "logical-backup-restore")),
    "error spec.addon.tasks[0] NotSupportedYet: mounts volumes of the target, which is in namespace elsewhere, and a Job mounts those of shop only",
  ],
  [
    "latest of no repository",
    changed(webBack, ["spec", "dataSource"], { snapshot: "latest" }),
    "error spec.dataSource.repository Required: repository is missing",
  ],
  [
    "a point in time without the time",
    changed(webBack, ["spec", "dataSource"], { repository: "r", pitr: {} }),
    "error spec.dataSource.pitr.targetTime Required: targetTime is missing",
  ],
];

describe("rules", () => {
  test.each(brokenRules)("refuse %s", (_title, object, sentence) => {
    expect(sentences(object)).toContain(sentence);
  });

  test.each([
    ["minio:9000"],
    ["minio.minio.svc"],
    ["https://s3.eu-central-1.amazonaws.com/"],
    ["http://[::1]:9000"],
  ])("take %s as an endpoint", (endpoint) => {
    expect(sentences(changed(minio, ["spec", "storage", "s3", "endpoint"], endpoint))).toEqual([]);
  });

  test.each([
    ["manifests of a target elsewhere", elsewhere("workload-addon", "manifest-restore")],
    [
      "a target elsewhere whose task brings its volumes",
      elsewhere("pvc-addon", "logical-backup-restore", { targetVolumes: { volumes: [], volumeMounts: [] } }),
    ],
    ["a target elsewhere of an addon that is not ours", elsewhere("database", "dump")],
  ])("take %s", (_title, spec) => {
    expect(sentences(changed(webBack, ["spec"], spec))).toEqual([]);
  });

  test("take a named Snapshot without its Repository", () => {
    expect(sentences(changed(webBack, ["spec", "dataSource"], { snapshot: "s" }))).toEqual([]);
  });

  test("refuse sessions that disagree about a repository, and repositories that share a directory", () => {
    const { sessions } = cluster["spec"] as {
      sessions: { name: string; repositories: Record<string, unknown>[] }[];
    };
    const [first] = sessions;
    const [entry] = first?.repositories ?? [];
    const second = (change: Record<string, unknown>) =>
      changed(
        cluster,
        ["spec", "sessions"],
        [first, { ...first, name: "weekly", repositories: [{ ...entry, ...change }] }],
      );
    expect(sentences(second({}))).toEqual([]);
    expect(sentences(second({ directory: "elsewhere" }))).toEqual([
      "error spec.sessions[1].repositories[0].directory Conflict: the repository cluster-repo has another place in an earlier session",
    ]);
    expect(sentences(second({ encryptionSecret: { name: "second" } }))).toEqual([
      "error spec.sessions[1].repositories[0].encryptionSecret Conflict: the repository cluster-repo has another encryptionSecret in an earlier session",
    ]);
    expect(sentences(second({ deletionPolicy: "WipeOut" }))).toEqual([
      "error spec.sessions[1].repositories[0].deletionPolicy Conflict: the repository cluster-repo has another deletionPolicy in an earlier session",
    ]);
    expect(sentences(second({ deletionPolicy: "Retain" }))).toEqual([]);
    expect(sentences(second({ name: "other", directory: "cluster/" }))).toEqual([
      "error spec.sessions[1].repositories[0].directory Conflict: the repository cluster-repo uses this directory already",
    ]);
  });
});
