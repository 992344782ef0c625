import type { GitRepository } from "./git-remote.ts";

/** One RetentionPolicy. */
export const policyText = (name: string): string =>
  `apiVersion: storage.kubestash.com/v1alpha1\nkind: RetentionPolicy\nmetadata: {name: "${name}", namespace: demo}\nspec: {successfulSnapshots: {last: 3}}\n`;

const bomb = Array.from(
  { length: 30 },
  (_, level) => `a${level + 1}: &a${level + 1} [*a${level}, *a${level}, *a${level}]`,
);

const mergeKeys = [
  "base: &b",
  ...Array.from({ length: 50 }, (_, n) => `  k${n}: ${n}`),
  ...Array.from({ length: 10_000 }, (_, n) => `m${n}: {<<: *b}`),
];

/** Files that somebody could declare, by name, each with what must be told of it in one line. */
export const hostileFiles: Readonly<Record<string, readonly [content: string | Buffer, told: RegExp]>> = {
  "alias-bomb.yaml": [["a0: &a0 x", ...bomb].join("\n"), /:\d+: the file holds more than 100000 values/],
  "bell\u0007.yaml": [policyText("bell"), /bell\\u0007\.yaml:1: a file whose name/],
  "cyrillic.yaml": [policyText("n\u0430me"), /:3: .*holds the character U\+0430/],
  "deep.yaml": ["[".repeat(10_000), /:1: lists and maps are nested deeper/],
  "direction\u202Elmay.yaml": [policyText("direction"), /direction\\u202elmay\.yaml:1: a file whose name/],
  "escape\u001b[2J.yaml": [policyText("escape"), /escape\\u001b\[2J\.yaml:1: a file whose name/],
  "five-megabytes.yaml": ["x: ".padEnd(5 * 2 ** 20, "y"), /:1: .*larger than/],
  "forged\n::error::it works.yaml": [
    policyText("forged"),
    /forged ::error::it works\.yaml:1: a file whose name/,
  ],
  "key.yaml": [
    `${policyText("key")}"\\e[31m\\n##[error]forged": 1\n`,
    /:5: .*\\u001b\[31m #\\u0023\[error\]forged/,
  ],
  "latin-1.yaml": [Buffer.from("a: 1\nb: caf\xe9\n", "latin1"), /:2: .*UTF-8/],
  "lfs.yaml": ["version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", /:1: .*Git LFS pointer/],
  "long-name.yaml": [policyText("n".repeat(254)), /:3: .*longer than 253 characters/],
  "mark-inside.yaml": ["a: 1\n\uFEFFb: 2\n", /:2: .*U\+FEFF/],
  "merge-keys.yaml": [mergeKeys.join("\n"), /:\d+: the file holds more than 100000 values/],
  "nul.yaml": ["a: 1\nb: \0\n", /:2: the character U\+0000/],
  "octal.yaml": [policyText("x").replace('"x"', "0644"), /:3: .*it is no text; put it in quotes/],
  "proto.yaml": [`${policyText("proto")}__proto__: {polluted: true}\n`, /:5: .*__proto__/],
  "sexagesimal.yaml": [policyText("x").replace('"x"', "12:30:45"), /:3: .*name/],
  "twice.yaml": ["a: 1\na: 2\n", /:2: this key stands in the same map already/],
  "utf-16.yaml": [Buffer.from("\uFEFFa: 1\n", "utf16le"), /:1: this is not UTF-8/],
  "yes.yaml": [policyText("x").replace('"x"', "yes"), /:3: .*it is no text; put it in quotes/],
};

/** An entry of a folder as no client would make it: any mode, and an object id where there is no content. */
export type HostileEntry = {
  readonly mode?: "100644" | "120000" | "160000";
  readonly name: string;
  readonly content?: string | Buffer;
  readonly oid?: string;
};

export const hostileEntries: readonly HostileEntry[] = Object.entries(hostileFiles).map(
  ([name, [content]]) => ({ name, content }),
);

/** Commits the entries as the folder `c/` of the cluster `lab`, with a folder `c/many/` of files of one content. */
export function commitHostile(
  repository: GitRepository,
  entries: readonly HostileEntry[],
  many: { readonly count: number; readonly content: string } = { count: 0, content: "" },
): void {
  const blob = (content: string | Buffer) =>
    repository.gitWith(content, "hash-object", "-w", "--stdin").trim();
  const tree = (rows: readonly (readonly [mode: string, name: string, oid: string])[]) => {
    const sorted = [...rows].sort(([, a], [, b]) => (a < b ? -1 : 1));
    const raw = sorted.map(([mode, name, oid]) =>
      Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, "hex")]),
    );
    const args = ["hash-object", "-t", "tree", "-w", "--literally", "--stdin"];
    return repository.gitWith(Buffer.concat(raw), ...args).trim();
  };
  const same = many.count === 0 ? "" : blob(many.content);
  const rows = entries.map(
    ({ mode = "100644", name, content = "", oid = blob(content) }) => [mode, name, oid] as const,
  );
  const below = Array.from({ length: many.count }, (_, n) => ["100644", `m${n}.yaml`, same] as const);
  const folder = tree([...rows, ...(many.count === 0 ? [] : [["40000", "many", tree(below)] as const])]);
  const all = tree([
    ["40000", "c", folder],
    ["100644", "holdfast.yaml", blob("clusters:\r\n  lab:\r\n    path: c\r\n")],
  ]);
  const commit = repository.gitWith("hostile\n", "commit-tree", all).trim();
  repository.git("update-ref", "refs/heads/main", commit);
}
