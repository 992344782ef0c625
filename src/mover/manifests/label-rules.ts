import { usageError } from "../job-flags.ts";

/** `k:v`, `k=v`, or a bare `k`, which asks only that the label is there. */
export type LabelRule = { readonly key: string; readonly value: string | undefined };

export type Labels = Readonly<Record<string, string>>;

const name = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const prefix = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

/** Reads one item of a list of labels; one that no label could meet is a usage error that names the flag. */
export function parseLabelRule(text: string, flag: string): LabelRule {
  const [, key = "", separator, value = ""] = /^([^:=]*)([:=]?)(.*)$/s.exec(text) ?? [];
  const slash = key.lastIndexOf("/");
  const keyFits = name.test(key.slice(slash + 1)) && (slash < 0 || prefix.test(key.slice(0, slash)));
  if (keyFits && (value === "" || name.test(value))) {
    return { key, value: separator === "" ? undefined : value };
  }
  throw usageError(
    `--${flag}: ${JSON.stringify(text)} is no label`,
    "Write key:value, key=value or key, separated by commas.",
  );
}

export function matchesRule(rule: LabelRule, labels: Labels): boolean {
  if (!Object.hasOwn(labels, rule.key)) return false;
  return rule.value === undefined || labels[rule.key] === rule.value;
}

/** The rules as the API server takes them, all of which must hold; undefined for none. */
export function labelSelectorOf(rules: readonly LabelRule[]): string | undefined {
  if (rules.length === 0) return undefined;
  return rules.map(({ key, value }) => (value === undefined ? key : `${key}=${value}`)).join(",");
}
