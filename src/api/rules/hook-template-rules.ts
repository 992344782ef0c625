import { invalid, required } from "../field-error.ts";
import type { HookTemplate } from "../hook-template.ts";
import { quoted } from "../schema-errors.ts";
import type { Rule } from "./rule.ts";
import { selectorIsGiven } from "./shared-rules.ts";

const executorPath = ["spec", "executor"];
const handlers = ["exec", "httpGet", "httpPost", "tcpSocket"] as const;

const executorIsDescribed: Rule<HookTemplate> = {
  says: "An executor `Function` needs spec.executor.function, and an executor `Pod` needs spec.executor.pod.",
  check: ({ spec: { executor } }) => {
    const field = ({ Function: "function", Pod: "pod", Operator: undefined } as const)[executor.type];
    return field === undefined || executor[field]
      ? []
      : [required([...executorPath, field], `${field} is missing, and the executor is ${executor.type}`)];
  },
};

const podsAreSelected: Rule<HookTemplate> = {
  says: "An executor `Pod` needs a selector whose parts, between commas, are all `key=value`.",
  check: ({ spec: { executor } }) => {
    if (executor.type !== "Pod" || !executor.pod) return [];
    const { selector = "" } = executor.pod;
    const path = [...executorPath, "pod", "selector"];
    const next = "Write it as in app=web,tier=front.";
    if (selector === "") return [required(path, "selector is missing, and the executor is Pod", next)];
    return selector
      .split(",")
      .filter((part) => !/^[^=]+=/.test(part.trim()))
      .map((part) => invalid(path, `${quoted(part)} is no key=value`, next));
  },
};

const actionIsOne: Rule<HookTemplate> = {
  says: "Executors `Pod` and `Operator` need an action, and an action has exactly one of exec, httpGet, httpPost and tcpSocket.",
  check: ({ spec: { action, executor } }) => {
    const path = ["spec", "action"];
    const next = `Give one of ${handlers.join(", ")}.`;
    if (!action)
      return executor.type === "Function"
        ? []
        : [required(path, `action is missing, and the executor is ${executor.type}`, next)];
    const given = handlers.filter((name) => Boolean(action[name]));
    return given.length === 1
      ? []
      : [invalid(path, `must say one thing to do, and says ${given.length}`, next)];
  },
};

const parametersDiffer: Rule<HookTemplate> = {
  says: "No two parameters have the same name.",
  check: ({ spec: { params } }) =>
    (params ?? []).flatMap(({ name }, index, all) =>
      all.findIndex((other) => other.name === name) === index
        ? []
        : [invalid(["spec", "params", index, "name"], `the parameter ${name} is there twice`)],
    ),
};

export const hookTemplateRules = [
  executorIsDescribed,
  podsAreSelected,
  actionIsOne,
  parametersDiffer,
  selectorIsGiven,
] as const;
