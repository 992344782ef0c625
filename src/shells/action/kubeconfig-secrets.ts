import { load } from "js-yaml";
import { shortestSecret } from "../../base/redact.ts";
import { isSecretName } from "../../base/secret-name.ts";

const secretFields = new Set([
  "token",
  "password",
  "client-key-data",
  "id-token",
  "access-token",
  "refresh-token",
  "client-secret",
]);

/**
 * Values of a kubeconfig that must never be shown; all of its lines when it cannot be read. Shorter ones than the
 * redactor looks for are left out: the runner would blacken every `1` of the log, and drop the outputs that hold one.
 */
export function kubeconfigSecrets(text: string): readonly string[] {
  return valuesIn(text).filter((value) => value.length >= shortestSecret);
}

function valuesIn(text: string): readonly string[] {
  try {
    return secretsIn(load(text));
  } catch {
    return text.split("\n").flatMap((line) => line.trim() || []);
  }
}

function secretsIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(secretsIn);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, one]) => {
    // Variables of a credential plugin: a list of name and value, most of which are as public as a region.
    if (name === "env" && Array.isArray(one))
      return one.flatMap((each) => (isSecretName(String(each?.name)) ? textsIn(each?.value) : []));
    return secretFields.has(name) ? textsIn(one) : secretsIn(one);
  });
}

function textsIn(value: unknown): readonly string[] {
  return typeof value === "string" && value !== "" ? [value] : [];
}
