import { describe, expect, test } from "vitest";
import { pathText } from "../../../src/api/field-error.ts";
import type { KubeObject } from "../../../src/api/meta.ts";
import { validateObject } from "../../../src/api/validate.ts";
import { changed, kubestashObject, kubestashObjects } from "../../fixtures/kubestash/kubestash-objects.ts";

/** `error spec.x: message` */
function sentences(object: KubeObject): readonly string[] {
  return validateObject(object).map(
    (one) => `${one.severity} ${pathText(one.path)} ${one.reason}: ${one.message}`,
  );
}

const quiesce = kubestashObject("HookTemplate/quiesce");
const weekly = kubestashObject("BackupVerifier/weekly");
const scripted = kubestashObject("BackupVerifier/scripted");
const check = kubestashObject("BackupVerificationSession/shop-web-repo-hourly-1754041620");

const brokenRestingRules: readonly [string, KubeObject, string][] = [
  [
    "a Function that is not named",
    changed(quiesce, ["spec", "executor"], { type: "Function" }),
    "error spec.executor.function Required: function is missing, and the executor is Function",
  ],
  [
    "pods that are not said",
    changed(quiesce, ["spec", "executor"], { type: "Pod" }),
    "error spec.executor.pod Required: pod is missing, and the executor is Pod",
  ],
  [
    "pods that are not selected",
    changed(quiesce, ["spec", "executor", "pod"], {}),
    "error spec.executor.pod.selector Required: selector is missing, and the executor is Pod",
  ],
  [
    "a selector with a part that is no label",
    changed(quiesce, ["spec", "executor", "pod", "selector"], "app=web,front"),
    'error spec.executor.pod.selector Invalid: "front" is no key=value',
  ],
  [
    "an operator with nothing to do",
    changed(changed(quiesce, ["spec", "action"], undefined), ["spec", "executor"], { type: "Operator" }),
    "error spec.action Required: action is missing, and the executor is Operator",
  ],
  [
    "two things to do",
    changed(quiesce, ["spec", "action", "tcpSocket"], { port: 80 }),
    "error spec.action Invalid: must say one thing to do, and says 2",
  ],
  [
    "a parameter twice",
    changed(quiesce, ["spec", "params"], [{ name: "mode" }, { name: "mode" }]),
    "error spec.params[1].name Invalid: the parameter mode is there twice",
  ],
  [
    "a template's policy without a selector",
    changed(quiesce, ["spec", "usagePolicy", "allowedNamespaces", "selector"], undefined),
    "error spec.usagePolicy.allowedNamespaces.selector Required: selector is missing, and from is Selector",
  ],
  [
    "a blueprint's policy without a selector",
    changed(kubestashObject("BackupBlueprint/standard"), ["spec", "usagePolicy", "allowedNamespaces"], {
      from: "Selector",
    }),
    "error spec.usagePolicy.allowedNamespaces.selector Required: selector is missing, and from is Selector",
  ],
  [
    "a query that is not asked",
    changed(weekly, ["spec", "query"], undefined),
    "error spec.query Required: query is missing, and the type is Query",
  ],
  [
    "a query that nobody asks",
    changed(weekly, ["spec", "function"], undefined),
    "error spec.function Required: function is missing, and the type is Query",
  ],
  [
    "a script that is nowhere",
    changed(scripted, ["spec", "script", "location"], undefined),
    "error spec.script.location Required: location is missing, and the type is Script",
  ],
  [
    "a verifier's schedule with seconds",
    changed(weekly, ["spec", "scheduler", "schedule"], "0 0 5 * * 0"),
    'error spec.scheduler.schedule Invalid: "0 0 5 * * 0" is no schedule',
  ],
  [
    "a verifier's number as parameter",
    changed(weekly, ["spec", "restoreOption", "addonInfo", "tasks", 0, "params"], { paths: 7 }),
    "error spec.restoreOption.addonInfo.tasks[0].params.paths Invalid: must be a text",
  ],
  [
    "a check that was changed after it was made",
    changed(check, ["metadata", "generation"], 2),
    "error spec Immutable: cannot be changed, and was",
  ],
];

describe("rules of kinds that are not acted on yet", () => {
  test("take a null for nothing, as the API server does", () => {
    const nulls: readonly [KubeObject, readonly string[]][] = [
      [quiesce, ["spec", "action"]],
      [quiesce, ["spec", "executor", "pod"]],
      [quiesce, ["spec", "params"]],
      [weekly, ["spec", "query"]],
      [weekly, ["spec", "scheduler"]],
      [scripted, ["spec", "script"]],
    ];
    for (const [object, path] of nulls)
      expect(sentences(changed(object, path, null))).toEqual(sentences(changed(object, path, undefined)));
  });

  test.each(brokenRestingRules)("refuse %s", (_title, object, sentence) => {
    expect(sentences(object)).toContain(sentence);
  });

  test.each([
    "HookTemplate",
    "BackupBlueprint",
    "BackupBatch",
    "BackupVerifier",
    "BackupVerificationSession",
  ])("name %s and what to use instead", (kind) => {
    const objects = [...kubestashObjects().values()].filter((object) => object.kind === kind);
    expect(objects).not.toEqual([]);
    for (const object of objects) {
      const [only, ...more] = validateObject(object);
      expect(more).toEqual([]);
      expect(only).toMatchObject({
        severity: "warning",
        reason: "NotSupportedYet",
        message: `${kind} is a kind that this release does not act on`,
        next: expect.stringMatching(/^[A-Z].*\.$/),
      });
    }
  });
});
