/**
 * Fields that stand twice in one object of a JSON text, as paths (`spec.replicas`). A parser keeps the last
 * of them and says nothing. The text must be valid JSON.
 */
export function duplicateFields(text: string): readonly string[] {
  const out = new Set<string>();
  const open: {
    readonly path: string;
    readonly names: Set<string> | undefined;
    index: number;
    name: string;
  }[] = [];
  const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;
  let last = "";
  for (const [sign] of text.matchAll(token)) {
    const here = open.at(-1);
    if (sign === "{" || sign === "[") {
      const path =
        here === undefined ? "" : here.names === undefined ? `${here.path}[${here.index}]` : here.name;
      open.push({ path, names: sign === "{" ? new Set() : undefined, index: 0, name: "" });
    } else if (sign === "}" || sign === "]") open.pop();
    else if (here !== undefined && sign === "," && here.names === undefined) here.index++;
    else if (here?.names !== undefined && sign === ":") {
      const name = String(JSON.parse(last));
      here.name = here.path === "" ? name : `${here.path}.${name}`;
      if (here.names.has(name)) out.add(here.name);
      here.names.add(name);
    }
    last = sign;
  }
  return [...out];
}
