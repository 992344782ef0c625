import { describe, expect, test } from "vitest";
import type { Declared } from "../../../src/pass/declared/declared.ts";
import { readDeclared } from "../../../src/pass/declared/read-declared.ts";
import { memoryRemote } from "./memory-remote.ts";

type Files = Parameters<typeof memoryRemote>[0];

const canary = "c4n4ry-2b9e";
const bytes = (text: string) => new TextEncoder().encode(text);

async function read(files: Files): Promise<Declared> {
  const below = Object.entries(files).map(([path, content]) => [`c/${path}`, content] as const);
  const remote = memoryRemote({
    "holdfast.yaml": "clusters: {prod: {path: c}}\r\n",
    "c/ok.yaml": policy("ok"),
    ...Object.fromEntries(below),
  });
  return readDeclared(remote, { branch: "main", cluster: "prod" }, AbortSignal.timeout(10_000));
}

const policy = (name: string) =>
  `apiVersion: storage.kubestash.com/v1alpha1\nkind: RetentionPolicy\nmetadata:\n  name: ${name}\n  namespace: demo\nspec:\n  successfulSnapshots:\n    last: 3\n`;

const sops = `sops:\n  lastmodified: "2026-01-01T00:00:00Z"\n  mac: ENC[AES256_GCM,data:${canary}]\n  version: 3.9.0\n`;
const encrypted = `apiVersion: ENC[AES256_GCM,data:x]\nkind: ENC[AES256_GCM,data:${canary}]\n${sops}`;

/** What is wrong, as a person reads it, and what is declared besides. */
async function told(
  files: Files,
): Promise<{ problems: readonly string[]; names: readonly string[]; complete: boolean }> {
  const { problems, documents, complete } = await read(files);
  expect(JSON.stringify(problems)).not.toContain(canary);
  return {
    problems: problems.map(
      ({ place, reason, message, next }) =>
        `${place?.path.slice(2)}:${place?.line} ${reason} ${message}. ${next}`,
    ),
    names: documents.map(({ object }) => object.metadata.name),
    complete,
  };
}

const bad: readonly (readonly [string, string, Files[string], RegExp])[] = [
  [
    "a Git LFS pointer",
    "x.yaml",
    `version https://git-lfs.github.com/spec/v1\noid sha256:${canary}\nsize 12\n`,
    /^x\.yaml:1 Unreadable this is a Git LFS pointer.*git lfs migrate/,
  ],
  ["a file of git-crypt", "x.yaml", bytes("\0GITCRYPT\0\x01\x02"), /^x\.yaml:1 Unreadable .*git-crypt/],
  [
    "a file of Ansible Vault",
    "x.yaml",
    "$ANSIBLE_VAULT;1.1;AES256\n6162\n",
    /^x\.yaml:1 Unreadable .*Ansible Vault/,
  ],
  [
    "a file of age",
    "x.yml",
    bytes("age-encryption.org/v1\n-> X25519 \xff"),
    /^x\.yml:1 Unreadable .*with age/,
  ],
  [
    "a file of PGP",
    "x.json",
    `-----BEGIN PGP MESSAGE-----\n\n${canary}\n`,
    /^x\.json:1 Unreadable .*with PGP/,
  ],
  ["a file that SOPS encrypted whole", "x.yaml", encrypted, /^x\.yaml:1 EncryptedNotSupported .*SOPS/],
  [
    "a declaration that SOPS encrypted in part",
    "x.yaml",
    `${policy("ok2")}---\n${policy(canary)}${sops}`.replace(canary, "x"),
    /^x\.yaml:10 EncryptedNotSupported .*SOPS/,
  ],
  [
    "a Helm template",
    "templates/x.yaml",
    `${policy("x")}{{- if .Values.on }}\nstatus: {}\n{{- end }}\n`,
    /^templates\/x\.yaml:9 Unreadable .*render it first \(helm template\)/,
  ],
  [
    "a name that a template would fill in",
    "x.yaml",
    policy('"{{ .Release.Name }}"'),
    /^x\.yaml:4 Invalid metadata\.name is not a DNS name/,
  ],
  [
    "an open merge",
    "x.yaml",
    `<<<<<<< HEAD\n${policy("x")}=======\n${policy("y")}>>>>>>> other\n`,
    /^x\.yaml:\d+ Unreadable .*Resolve the merge conflict/,
  ],
  ["a 5 MB file", "x.yaml", "a".repeat(5 * 2 ** 20), /^x\.yaml:1 Unreadable .*larger than/],
  [
    "Cyrillic letters in a name",
    "x.yaml",
    policy("n\u0430me"),
    /^x\.yaml:4 Invalid .*holds the character U\+0430/,
  ],
  ["no width in a name", "x.yaml", policy("na\u200Bme"), /^x\.yaml:4 Invalid .*holds the character U\+200B/],
  [
    "no width in a namespace",
    "x.yaml",
    policy("x").replace("demo", "de\u2060mo"),
    /^x\.yaml:5 Invalid .*namespace .*U\+2060/,
  ],
  [
    "Cyrillic letters in a kind",
    "x.yaml",
    policy("x").replace("RetentionPolicy", "Ret\u0435ntionPolicy"),
    /^x\.yaml:1 UnknownKind .*U\+0435/,
  ],
  [
    "Cyrillic letters in a group and a kind",
    "x.yaml",
    policy("x").replace("kubestash", "kub\u0435stash").replace("Policy", "P\u043Elicy"),
    /^x\.yaml:1 UnknownKind .*U\+0435/,
  ],
  [
    "Cyrillic letters in a key",
    "x.yaml",
    policy("x").replace("kind", "k\u0456nd"),
    /^x\.yaml:1 UnknownKind kind is missing/,
  ],
  [
    "a name of 254 characters",
    "x.yaml",
    policy("n".repeat(254)),
    /^x\.yaml:4 Invalid .*longer than 253 characters/,
  ],
  ["a number for a name", "x.yaml", policy("0644"), /^x\.yaml:4 Invalid .*it is no text; put it in quotes/],
  ["a boolean for a name", "x.yaml", policy("yes"), /^x\.yaml:4 Invalid .*it is no text; put it in quotes/],
  [
    "a line end in a file's name",
    "a\n::error::b.yaml",
    policy("x"),
    /::error::b\.yaml:1 Unreadable .*cannot be shown/,
  ],
  ["escapes of a terminal in a file's name", "\u001b[2Jx.yaml", policy("x"), /Unreadable .*Rename/],
  ["text direction in a file's name", "x\u202Elmay.yaml", policy("x"), /Unreadable .*Rename/],
  ["bytes that are no UTF-8 in a file's name", "x\uFFFD.yaml", policy("x"), /Unreadable .*Rename/],
  [
    "an entry that Git refuses",
    "../x.yaml",
    { type: "refused" },
    /^\.\.\/x\.yaml:1 Unreadable Git itself refuses/,
  ],
];

describe("one error with file, line and what to do, while the rest is declared and nothing is pruned, for", () => {
  test.each(bad)("%s", async (_name, path, content, expected) => {
    const { problems, names, complete } = await told({ [path]: content });
    expect(problems).toEqual([expect.stringMatching(expected)]);
    expect(names).toContain("ok");
    expect(complete).toBe(false);
  });

  test("each bad document of a file, whose good ones are declared", async () => {
    const parts = [policy("a"), "a: [\n", policy("b"), "a: 1\na: 2\n", "x: {{ y }}\n", policy("c")];
    const { problems, names, complete } = await told({ "x.yaml": parts.join("---\n") });
    expect(problems.map((problem) => problem.split(" ", 2).join(" "))).toEqual([
      "x.yaml:11 Unreadable",
      "x.yaml:22 Unreadable",
      "x.yaml:24 Unreadable",
    ]);
    expect(names).toEqual(["a", "b", "c", "ok"]);
    expect(complete).toBe(false);
  });
});

describe("no error for", () => {
  test("names of 253 characters, and files that differ in case alone", async () => {
    const long = `${"n".repeat(251)}.x`;
    const declared = await told({ "A.yaml": policy(long), "a.yaml": policy("a"), "a.YML": policy("b") });
    expect(declared).toEqual({ problems: [], names: ["a", "b", long, "ok"], complete: true });
  });

  test("kustomizations, charts, encrypted and sealed objects of others, odd names of other files", async () => {
    const declared = await read({
      "kustomization.yaml": "resources: [a.yaml]\n",
      "overlay/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n",
      "Chart.yaml": "apiVersion: v2\nname: x\n",
      "sealed.yaml": `apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nspec: {encryptedData: {a: ${canary}}}\n`,
      "map.yaml": `apiVersion: v1\nkind: ConfigMap\ndata: {a: 'ENC[x]'}\n${sops}`,
      "a\nb.txt": "x",
      "notes.md": "{{ x }}",
    });
    expect(declared).toMatchObject({ problems: [], complete: true });
    expect(declared.others).toEqual({ "(no kind)": 2, ConfigMap: 1, Kustomization: 1, SealedSecret: 1 });
  });
});

describe("a Secret is never applied and its values are never told, also", () => {
  test.each([
    ["in a list of Secrets", `apiVersion: v1\nkind: SecretList\nitems:\n- data: {a: ${canary}}\n`],
    [
      "in the annotation that kubectl leaves",
      `apiVersion: v1\nkind: Secret\nmetadata:\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: '{"data":{"a":"${canary}"}}'\n`,
    ],
    ["beside broken documents", `apiVersion: v1\nkind: Secret\ndata: {a: ${canary}}\n---\na: [${canary}\n`],
    ["with a merge key", `kind: Secret\n<<: {data: {a: ${canary}}}\n`],
    ["with broken values", `kind: Secret\ndata:\n  a: ${canary}\n  a: ${canary}\n`],
  ])("%s", async (_name, text) => {
    const { problems, names } = await told({ "x.yaml": text });
    expect(problems[0]).toMatch(/^x\.yaml:\d+ (SecretInGit|Unreadable) /);
    expect(names).toEqual(["ok"]);
  });
});
