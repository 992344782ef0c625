import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { setCondition, timeText } from "../../../src/api/conditions.ts";
import { matchesSelector } from "../../../src/api/label-selector.ts";
import { labelValue, offshootLabels } from "../../../src/api/labels.ts";
import { backupSessionName, nameOfParts, snapshotName, triggerName } from "../../../src/api/names.ts";
import { usageAllowed } from "../../../src/api/usage-policy.ts";

describe("names", () => {
  test("objects are named after what they are of", () => {
    expect(triggerName("shop-web", "hourly")).toBe("trigger-shop-web-hourly");
    expect(backupSessionName("shop-web", "hourly", 1754041620)).toBe("shop-web-hourly-1754041620");
    expect(snapshotName("shop-web-repo", "shop-web-hourly-1754041620")).toBe(
      "shop-web-repo-shop-web-hourly-1754041620",
    );
  });

  test("a CronJob's name has at most 52 characters, and two long ones stay two", () => {
    expect(triggerName("c".repeat(38), "often")).toBe(`trigger-${"c".repeat(38)}-often`);
    const long = ["-a-", "-b-"].map((middle) =>
      triggerName(`${"c".repeat(60)}${middle}${"d".repeat(60)}.e`, "often"),
    );
    expect(long).toEqual([expect.stringMatching(/^trigger-c{33}-[0-9a-f]{10}$/), expect.any(String)]);
    expect(long.map((name) => name.length)).toEqual([52, 52]);
    expect(new Set(long).size).toBe(2);
  });

  test("63 characters of a name stay, and of 64 begin and end, with a digest in between", () => {
    const end = "c".repeat(31);
    expect(snapshotName("a".repeat(31), end)).toBe(`${"a".repeat(31)}-${end}`);
    const name = snapshotName("a".repeat(32), end);
    expect(name).toMatch(/^a{20}-[0-9a-f]{10}-c{31}$/);
  });

  test("long names of sessions and Snapshots differ when what they are of differs anywhere", () => {
    const [one = "", two = ""] = ["red", "blue"].map(
      (color) => `a-configuration-with-quite-a-long-name-${color}-of-its-own-in-the-namespace`,
    );
    const at = 1754041620;
    expect(backupSessionName(one, "nightly", at)).not.toBe(backupSessionName(two, "nightly", at));
    expect(backupSessionName(two, "nightly", at)).toMatch(/-nightly-1754041620$/);
    const session = backupSessionName("shop-web", "hourly", at);
    expect(snapshotName(one, session)).not.toBe(snapshotName(two, session));
  });

  test("a long session name keeps its time and stays unique by it", () => {
    const configuration = "a-configuration-with-quite-a-long-name-of-its-own-here";
    const one = backupSessionName(configuration, "nightly-session", 1754041620);
    expect(one).toHaveLength(63);
    expect(one).toMatch(/-1754041620$/);
    expect(backupSessionName(configuration, "nightly-session", 1754041621)).not.toBe(one);
  });

  test("no name is longer than a label's value, and none begins or ends with a dash", () => {
    const text = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,80}[a-z0-9])?$/);
    fc.assert(
      fc.property(text, text, (a, b) => {
        for (const name of [snapshotName(a, b), nameOfParts(a, b)]) {
          expect(name.length).toBeLessThanOrEqual(63);
          expect(name).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
        }
      }),
    );
  });

  test("long names out of parts differ when the parts differ anywhere", () => {
    const session = "a-configuration-with-a-long-name-nightly-";
    const node = "dump-ip-10-0-0-1.eu-central-1.compute.internal";
    const names = [1754041620, 1754041621].map((time) => nameOfParts(`${session}${time}`, node));
    expect(new Set(names).size).toBe(2);
    expect(nameOfParts("a", "b.c")).toBe("a-b-c");
  });
});

describe("labels of what is made for an object", () => {
  const metadata = { name: "web", namespace: "shop", labels: { team: "a" } };
  const made = (kind: string, spec: unknown = {}) =>
    offshootLabels({ apiVersion: "x/v1", kind, metadata, spec });

  test("name the object as invoker and keep its own labels", () => {
    expect(made("BackupConfiguration")).toEqual({
      team: "a",
      "app.kubernetes.io/managed-by": "holdfast",
      "kubestash.com/invoker-name": "web",
      "kubestash.com/invoker-namespace": "shop",
    });
  });

  test("say the kind for storages, repositories and snapshots, and the session for sessions", () => {
    for (const kind of ["BackupStorage", "Repository", "Snapshot"])
      expect(made(kind)["kubestash.com/invoker-kind"]).toBe(kind);
    expect(made("BackupSession", { session: "hourly" })["kubestash.com/session-name"]).toBe("hourly");
    expect(made("BackupSession")["kubestash.com/invoker-kind"]).toBeUndefined();
  });

  test("fit a label where a name does not", () => {
    const long = { apiVersion: "x/v1", kind: "Snapshot", metadata: { name: "n".repeat(200) } };
    expect(offshootLabels(long)["kubestash.com/invoker-name"]).toHaveLength(63);
    const both = `${"a".repeat(32)}b${"c".repeat(31)}`;
    expect(labelValue(both)).toBe(`${"a".repeat(32)}${"c".repeat(31)}`);
  });
});

describe("a usage policy", () => {
  const referrer = { namespace: "shop", namespaceLabels: { team: "a" } };
  test.each([
    ["nothing", undefined, "shop", true],
    ["nothing", undefined, "vault", false],
    ["an empty policy", {}, "shop", false],
    ["no from", { allowedNamespaces: {} }, "shop", false],
    ["All", { allowedNamespaces: { from: "All" as const } }, "vault", true],
    ["Same", { allowedNamespaces: { from: "Same" as const } }, "shop", true],
    ["Same", { allowedNamespaces: { from: "Same" as const } }, "vault", false],
    ["Selector without one", { allowedNamespaces: { from: "Selector" as const } }, "shop", false],
    [
      "a selector that matches",
      { allowedNamespaces: { from: "Selector" as const, selector: { matchLabels: { team: "a" } } } },
      "vault",
      true,
    ],
    [
      "a selector that does not",
      { allowedNamespaces: { from: "Selector" as const, selector: { matchLabels: { team: "b" } } } },
      "shop",
      false,
    ],
  ])("of %s decides for a namespace", (_name, policy, own, allowed) => {
    expect(usageAllowed(policy, own, referrer)).toBe(allowed);
  });
});

test.each([
  [{}, true],
  [{ matchLabels: { a: "1" } }, true],
  [{ matchLabels: { a: "1", b: "2" } }, false],
  [{ matchExpressions: [{ key: "a", operator: "In" as const, values: ["0", "1"] }] }, true],
  [{ matchExpressions: [{ key: "b", operator: "In" as const, values: ["1"] }] }, false],
  [{ matchExpressions: [{ key: "a", operator: "NotIn" as const, values: ["1"] }] }, false],
  [{ matchExpressions: [{ key: "b", operator: "NotIn" as const, values: ["1"] }] }, true],
  [{ matchExpressions: [{ key: "a", operator: "Exists" as const }] }, true],
  [{ matchExpressions: [{ key: "toString", operator: "Exists" as const }] }, false],
  [{ matchExpressions: [{ key: "b", operator: "DoesNotExist" as const }] }, true],
  [{ matchLabels: { a: "1" }, matchExpressions: [{ key: "a", operator: "DoesNotExist" as const }] }, false],
])("the selector %j says %s about the label a=1", (selector, matches) => {
  expect(matchesSelector(selector, { a: "1" })).toBe(matches);
});

describe("setting a condition", () => {
  const before = setCondition(undefined, { type: "A", status: "True", reason: "R" }, 0);

  test("stamps it with the time, in whole seconds", () => {
    expect(before).toEqual([
      { type: "A", status: "True", reason: "R", lastTransitionTime: "1970-01-01T00:00:00Z" },
    ]);
    expect(timeText(1999)).toBe("1970-01-01T00:00:01Z");
  });

  test("keeps the time while the status stays, and moves it when it turns", () => {
    const [told] = setCondition(before, { type: "A", status: "True", reason: "S" }, 60_000);
    expect(told).toMatchObject({ reason: "S", lastTransitionTime: "1970-01-01T00:00:00Z" });
    const [turned] = setCondition(before, { type: "A", status: "False" }, 60_000);
    expect(turned).toEqual({ type: "A", status: "False", lastTransitionTime: "1970-01-01T00:01:00Z" });
  });

  test("answers the same list when nothing changes, and never touches the others", () => {
    expect(setCondition(before, { type: "A", status: "True", reason: "R" }, 60_000)).toBe(before);
    const two = setCondition(before, { type: "B", status: "False" }, 60_000);
    expect(two.map((condition) => condition.type)).toEqual(["A", "B"]);
    expect(setCondition(two, { type: "A", status: "Unknown" }, 1)[1]).toBe(two[1]);
  });
});
