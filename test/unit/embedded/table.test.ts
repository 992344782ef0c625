import { describe, expect, it } from "vitest";
import { humanDuration } from "../../../src/embedded/table/duration.ts";
import { valuesAt } from "../../../src/embedded/table/json-path.ts";
import { podCells } from "../../../src/embedded/table/pod-cells.ts";

const second = 1000;
const hour = 3600 * second;
const day = 24 * hour;

describe("durations", () => {
  it.each([
    [-1 * second, "0s"],
    [-5 * second, "<invalid>"],
    [119 * second, "119s"],
    [120 * second, "2m"],
    [200 * second, "3m20s"],
    [2 * hour, "120m"],
    [5 * hour + 600 * second, "5h10m"],
    [47 * hour, "47h"],
    [2 * day + 3 * hour, "2d3h"],
    [100 * day, "100d"],
    [3 * 365 * day + day, "3y1d"],
    [20 * 365 * day, "20y"],
  ])("of %d ms read %s", (ms, text) => {
    expect(humanDuration(ms)).toBe(text);
  });
});

describe("a JSON path", () => {
  const document = {
    metadata: { annotations: { "example.com/a.b": "x" } },
    status: {
      conditions: [
        { type: "Ready", status: "True" },
        { type: "Other", status: "False" },
      ],
    },
  };

  it.each([
    [".status.conditions[0].type", ["Ready"]],
    [".status.conditions[-1].type", ["Other"]],
    [".status.conditions[*].type", ["Ready", "Other"]],
    ['.status.conditions[?(@.type=="Other")].status', ["False"]],
    [".status.conditions[?(@.type!='Other')].status", ["True"]],
    [".metadata.annotations['example.com/a.b']", ["x"]],
    [".metadata.annotations.example\\.com/a\\.b", ["x"]],
    ["{.status.conditions[1].status}", ["False"]],
    [".status.nothing.there", []],
    [".status[", []],
  ])("%s finds %j", (path, values) => {
    expect(valuesAt(document, path)).toEqual(values);
  });
});

describe("the status of a pod", () => {
  const now = Date.parse("2030-01-01T00:00:00Z");
  const pod = (status: object, metadata: object = {}) => ({
    metadata: { name: "p", creationTimestamp: "2029-12-31T23:59:00Z", ...metadata },
    spec: { containers: [{ name: "c", image: "x" }], initContainers: [{ name: "i", image: "x" }] },
    status: JSON.parse(JSON.stringify(status)),
  });

  it.each([
    ["Pending", pod({ phase: "Pending" })],
    ["Init:0/1", pod({ phase: "Pending", initContainerStatuses: [{ state: { running: {} } }] })],
    [
      "Init:Error",
      pod({ initContainerStatuses: [{ state: { terminated: { exitCode: 1, reason: "Error" } } }] }),
    ],
    [
      "Completed",
      pod({ containerStatuses: [{ state: { terminated: { exitCode: 0, reason: "Completed" } } }] }),
    ],
    ["ExitCode:3", pod({ containerStatuses: [{ state: { terminated: { exitCode: 3 } } }] })],
    [
      "CrashLoopBackOff",
      pod({ containerStatuses: [{ state: { waiting: { reason: "CrashLoopBackOff" } } }] }),
    ],
    ["Terminating", pod({ phase: "Running" }, { deletionTimestamp: "2030-01-01T00:00:00Z" })],
  ])("is %s", (text, object) => {
    expect(podCells(object, now).slice(0, 5)).toEqual(["p", "0/1", text, "0", "60s"]);
  });
});
