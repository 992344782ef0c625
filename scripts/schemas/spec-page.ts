import { dump } from "js-yaml";
import type { ConditionType } from "../../src/api/condition-types.ts";
import type { KindDefinition } from "../../src/api/kind.ts";
import { apiVersionOf } from "../../src/api/meta.ts";
import { notSupportedYet } from "../../src/api/not-supported-yet.ts";
import { ruleTexts } from "../../src/api/rules/rules.ts";
import { nodeOf, type SchemaNode } from "../../src/api/schema-node.ts";

/** The page of a kind in docs/spec, one sentence per line. */
export function specPageOf(kind: KindDefinition): string {
  const rules = ruleTexts(kind.resource.kind);
  const missing = notSupportedYet.filter((entry) => entry.kind === kind.resource.kind);
  const sections = [
    `# ${kind.resource.kind}`,
    generatedNote,
    kind.intro.join("\n"),
    factTable(kind),
    `## Example\n\n\`\`\`yaml\n${dump(kind.example, { lineWidth: 100, noRefs: true })}\`\`\``,
    `## spec\n\n${fieldTable(nodeOf(kind.spec), "spec")}`,
    ...(kind.status === undefined ? [] : [`## status\n\n${fieldTable(nodeOf(kind.status), "status")}`]),
    ...bullets(
      "Rules",
      rules.alone,
      "Besides the types above, `holdfast validate` holds an object to these.",
    ),
    ...bullets(
      "Rules among objects",
      rules.withOthers,
      "These are checked against the other objects that a pass sees.",
    ),
    ...bullets(
      "Not supported yet",
      missing.map((entry) => {
        const values = (entry.values ?? []).map((value) => `\`${value}\``).join(", ");
        const field = `\`${entry.path.join(".").replaceAll(".*", "[]")}\``;
        const at = entry.path.length === 0 ? "The whole kind" : field;
        const where =
          entry.where === undefined
            ? ""
            : `, where \`${entry.where.path.join(".")}\` is \`${entry.where.is}\``;
        return `${at}${values === "" ? "" : ` (${values})`}${where}: ${entry.severity}; it ${entry.says}.\n  ${entry.next}`;
      }),
      "These fields are read and named with the reason `NotSupportedYet`.\nAn error keeps the object from being used, a warning does not.",
    ),
    ...numbered(
      "Phases",
      kind.phases.map((phase) => phase.says),
    ),
    ...(kind.conditions.length === 0 ? [] : [`## Conditions\n\n${conditionTable(kind.conditions)}`]),
  ];
  return `${sections.join("\n\n")}\n`;
}

export const generatedNote = "<!-- Made from src/api by `npm run generate`; change it there. -->";

function factTable(kind: KindDefinition): string {
  const { resource } = kind;
  return table(
    ["", ""],
    [
      ["apiVersion", `\`${apiVersionOf(resource)}\``],
      ["resource", `\`${resource.plural}.${resource.group}\``],
      [
        "short name",
        kind.shortNames.length === 0 ? "none" : kind.shortNames.map((name) => `\`${name}\``).join(", "),
      ],
      ["categories", kind.categories.map((name) => `\`${name}\``).join(", ")],
      ["scope", resource.namespaced ? "namespace" : "cluster"],
      ["status subresource", kind.status === undefined ? "no" : "yes"],
      ["columns", kind.columns.map((column) => column.name).join(", ")],
    ],
  );
}

function fieldTable(node: SchemaNode, root: string): string {
  const rows = fieldRows(node, root);
  return table(["field", "type", "", "meaning"], rows);
}

function fieldRows(node: SchemaNode, path: string): readonly (readonly string[])[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, field]) => {
    const needed = (node.required ?? []).includes(name);
    const at = `${path}.${name}`;
    return [
      [
        `\`${at}${suffixOf(field)}\``,
        typeText(field),
        needed ? "required" : defaultText(field),
        field.description ?? "",
      ],
      ...fieldRows(innerOf(field), `${at}${suffixOf(field)}`),
    ];
  });
}

function isMap(node: SchemaNode): boolean {
  return node.additionalProperties !== undefined && node.additionalProperties !== false;
}

function suffixOf(node: SchemaNode): string {
  if (node.type === "array") return "[]";
  return isMap(node) ? ".*" : "";
}

function innerOf(node: SchemaNode): SchemaNode {
  if (node.items !== undefined) return node.items;
  return node.additionalProperties === undefined || node.additionalProperties === false
    ? node
    : node.additionalProperties;
}

function typeText(node: SchemaNode): string {
  if (node.enum !== undefined) return node.enum.map((value) => `\`${value}\``).join(", ");
  if (node.format === "date-time") return "time";
  if (node.pattern !== undefined) return "duration";
  if (node.type === "array") return `list of ${typeText(node.items ?? {})}`;
  if (isMap(node)) return `map of ${typeText(innerOf(node))}`;
  if (node["x-kubernetes-int-or-string"] === true) return "integer or text";
  if (node.type === "string") return "text";
  return node.type ?? "any";
}

function defaultText(node: SchemaNode): string {
  const facts = [
    ...(node.default === undefined
      ? []
      : [`default \`${JSON.stringify(node.default).replaceAll('"', "")}\``]),
    ...(node.minimum === undefined || node.minimum === 0 ? [] : [`at least ${node.minimum}`]),
  ];
  return facts.join(", ");
}

function conditionTable(conditions: readonly ConditionType[]): string {
  const reason = (name: string | undefined) => (name === undefined ? "" : `\`${name}\``);
  return table(
    ["type", "meaning", "reason when True", "reason when False"],
    conditions.map((condition) => [
      `\`${condition.type}\`${condition.own === true ? " (Holdfast's own)" : ""}`,
      condition.says,
      reason(condition.whenTrue),
      reason(condition.whenFalse),
    ]),
  );
}

function bullets(title: string, lines: readonly string[], intro: string): readonly string[] {
  return lines.length === 0
    ? []
    : [`## ${title}\n\n${intro}\n\n${lines.map((line) => `- ${line}`).join("\n")}`];
}

function numbered(title: string, lines: readonly string[]): readonly string[] {
  if (lines.length === 0) return [];
  const intro = "The first rule that answers decides.";
  return [`## ${title}\n\n${intro}\n\n${lines.map((line, index) => `${index + 1}. ${line}`).join("\n")}`];
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
