import type { LabelRequirement } from "./label-selector.ts";
import { means, misread, type Read, shown } from "./param-text.ts";

const grammar =
  "Write key:value, key=value, key!=value, key in (a,b), key notin (a,b), key or !key, separated by commas.";

type Item = { readonly text: string; readonly at: number };

/**
 * Reads requirements on labels: KubeStash's `k:v`, `k=v` and `k`, and Kubernetes' `k==v`, `k!=v`, `k in (a,b)`,
 * `k notin (a,b)` and `!k` with Kubernetes' meaning. Commas separate outside of brackets; empty items count for
 * nothing.
 */
export function readLabelQuery(text: string): Read<readonly LabelRequirement[]> {
  const items = split(text);
  if (!items.ok) return items;
  const requirements: LabelRequirement[] = [];
  for (const item of items.value) {
    const requirement = requirementOf(item.text);
    if (typeof requirement === "string")
      return misread(`${shown(item.text)} at character ${item.at}: ${requirement}`, grammar);
    requirements.push(requirement);
  }
  return means(requirements);
}

/** The requirements as the API server takes them, all of which must hold; undefined for none. */
export function labelSelectorText(requirements: readonly LabelRequirement[]): string | undefined {
  if (requirements.length === 0) return undefined;
  return requirements
    .map(({ key, operator, values = [] }) => {
      switch (operator) {
        case "In":
          return values.length === 1 ? `${key}=${values[0]}` : `${key} in (${values.join(",")})`;
        case "NotIn":
          return values.length === 1 ? `${key}!=${values[0]}` : `${key} notin (${values.join(",")})`;
        case "Exists":
          return key;
        case "DoesNotExist":
          return `!${key}`;
      }
    })
    .join(",");
}

/** Items with the character at which each begins, counted from 1. */
function split(text: string): Read<readonly Item[]> {
  const items: Item[] = [];
  let start = 0;
  let opened: number | undefined;
  const end = (at: number) => {
    const raw = text.slice(start, at);
    const trimmed = raw.trim();
    if (trimmed !== "") items.push({ text: trimmed, at: start + raw.indexOf(trimmed) + 1 });
    start = at + 1;
  };
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === "(" && opened === undefined) opened = at;
    else if (character === ")" && opened !== undefined) opened = undefined;
    else if (character === "(" || character === ")")
      return misread(`the bracket at character ${at + 1} of ${shown(text)} has no partner`, grammar);
    else if (character === "," && opened === undefined) end(at);
  }
  if (opened !== undefined)
    return misread(`the bracket at character ${opened + 1} of ${shown(text)} is not closed`, grammar);
  end(text.length);
  return means(items);
}

/** One requirement, or what is wrong with it. */
function requirementOf(item: string): LabelRequirement | string {
  if (item.startsWith("!")) return checked(item.slice(1).trim(), "DoesNotExist", undefined);
  const [, setKey, setOperator, list] = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(item) ?? [];
  if (setKey !== undefined && list !== undefined) {
    const values = list.split(",").map((value) => value.trim());
    return checked(setKey, setOperator === "in" ? "In" : "NotIn", [...new Set(values)]);
  }
  const [, key, operator, value] = /^([^=!:]*)(==|!=|=|:)(.*)$/s.exec(item) ?? [];
  if (key === undefined || value === undefined) return checked(item, "Exists", undefined);
  return checked(key.trim(), operator === "!=" ? "NotIn" : "In", [value.trim()]);
}

const name = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const prefix = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

function checked(
  key: string,
  operator: LabelRequirement["operator"],
  values: readonly string[] | undefined,
): LabelRequirement | string {
  const slash = key.lastIndexOf("/");
  const prefixFits = slash < 0 || (slash <= 253 && prefix.test(key.slice(0, slash)));
  if (key === "") return "the label's key is missing";
  if (!prefixFits || !name.test(key.slice(slash + 1))) return `${shown(key)} is no key of a label`;
  if (values === undefined) return { key, operator };
  const wrong = values.find((value) => value !== "" && !name.test(value));
  return wrong === undefined
    ? { key, operator, values }
    : `${shown(wrong)} is no value that a label can have`;
}
