import { load } from "js-yaml";

const secretFields = new Set([
  "token",
  "password",
  "client-key-data",
  "id-token",
  "access-token",
  "refresh-token",
  "client-secret",
]);

/** Values of a kubeconfig that must never be shown; all of its lines when it cannot be read. */
export function kubeconfigSecrets(text: string): readonly string[] {
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
    // Variables of a credential plugin: a list of name and value.
    if (name === "env" && Array.isArray(one)) return one.flatMap((variable) => textsIn(variable?.value));
    return secretFields.has(name) ? textsIn(one) : secretsIn(one);
  });
}

function textsIn(value: unknown): readonly string[] {
  return typeof value === "string" && value !== "" ? [value] : [];
}
