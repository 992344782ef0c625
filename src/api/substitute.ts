const variable = /\$\{([A-Za-z_][\w.-]*)(?::=([^}]*))?\}/g;

/**
 * A JSON value with every `${name}` and `${name:=default}` in its texts replaced. The default stands when the
 * variable is unset or empty; `${name}` without one stays as it is while the variable is unset, and
 * `unsetVariables` names it.
 */
export function substitute<Value>(value: Value, variables: Readonly<Record<string, string>>): Value;
export function substitute(value: unknown, variables: Readonly<Record<string, string>>): unknown {
  if (typeof value === "string") return replaced(value, variables);
  if (Array.isArray(value)) return value.map((item) => substitute<unknown>(item, variables));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      replaced(name, variables),
      substitute<unknown>(item, variables),
    ]),
  );
}

/** Names of the variables that a JSON value still needs, sorted. */
export function unsetVariables(value: unknown): readonly string[] {
  const names = new Set<string>();
  const look = (item: unknown): void => {
    if (typeof item === "string") {
      for (const found of item.matchAll(variable)) names.add(found[1] ?? "");
    } else if (Array.isArray(item)) {
      item.forEach(look);
    } else if (typeof item === "object" && item !== null) {
      for (const [name, inner] of Object.entries(item)) {
        look(name);
        look(inner);
      }
    }
  };
  look(value);
  return [...names].sort();
}

function replaced(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replaceAll(variable, (whole, name: string, otherwise: string | undefined) => {
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
    if (otherwise !== undefined) return value === undefined || value === "" ? otherwise : value;
    return value ?? whole;
  });
}
