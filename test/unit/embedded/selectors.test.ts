import { describe, expect, it } from "vitest";
import { fieldSelector, labelSelector } from "../../../src/embedded/selectors.ts";

const labelled = (labels: Record<string, string>) => ({ metadata: { name: "x", labels } });

describe("a label selector", () => {
  it.each([
    ["", true],
    ["app=web", true],
    ["app==web", true],
    ["app=db", false],
    ["app!=db", true],
    ["missing!=db", true],
    ["app in (db, web)", true],
    ["app notin (db,web)", false],
    ["missing notin (db)", true],
    ["app", true],
    ["!app", false],
    ["!missing", true],
    ["size>2", true],
    ["size<3", false],
    ["missing>2", false],
    ["app=web,size>2,!missing", true],
    ["app=web,size>5", false],
    ["example.com/team=a", true],
    ["empty=", true],
    ["empty in ()", true],
  ])("%j selects: %j", (text, selects) => {
    const object = labelled({ app: "web", size: "3", "example.com/team": "a", empty: "" });
    expect(labelSelector(text)(object)).toBe(selects);
  });

  it.each(["a in (b", "a=b=c", "a in b", "=b", "a>x", "a,,b", "a=b c", "constructor("])(
    "%j is refused",
    (text) => {
      expect(() => labelSelector(text)).toThrow(expect.objectContaining({ code: 400 }));
    },
  );

  it("does not take what every JavaScript object has for labels", () => {
    expect(labelSelector("constructor")(labelled({}))).toBe(false);
  });
});

describe("a field selector", () => {
  const pod = {
    metadata: { name: "x", namespace: "n" },
    spec: { nodeName: "one" },
    status: { phase: "Running" },
  };

  it.each([
    ["metadata.name=x", true],
    ["metadata.name!=x", false],
    ["spec.nodeName==one,status.phase!=Failed", true],
    ["status.podIP=", true],
  ])("%j selects: %j", (text, selects) => {
    expect(fieldSelector(text, "/pods")(pod)).toBe(selects);
  });

  it("refuses fields by which the kind cannot be selected", () => {
    expect(() => fieldSelector("spec.nodeName=x", "/configmaps")).toThrow(
      expect.objectContaining({ code: 400 }),
    );
    expect(() => fieldSelector("metadata.name", "/pods")).toThrow(expect.objectContaining({ code: 400 }));
  });
});
