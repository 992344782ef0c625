/** Why a file cannot be read as it stands, and what to do about it. */
export type NotPlain = { readonly message: string; readonly next: string };

const decrypted =
  "Keep declarations in plain text; values that are secret belong into Secrets of the cluster.";

/** How files begin that only look like YAML by their names. */
const heads: readonly (NotPlain & { readonly begins: string })[] = [
  {
    begins: "version https://git-lfs.github.com/spec/",
    message: "this is a Git LFS pointer; the file's content is not in Git",
    next: "Take the file out of LFS (git lfs migrate export), and correct .gitattributes.",
  },
  { begins: "\0GITCRYPT\0", message: "this file is encrypted with git-crypt", next: decrypted },
  { begins: "$ANSIBLE_VAULT;", message: "this file is encrypted with Ansible Vault", next: decrypted },
  { begins: "age-encryption.org/", message: "this file is encrypted with age", next: decrypted },
  { begins: "-----BEGIN AGE ENCRYPTED FILE", message: "this file is encrypted with age", next: decrypted },
  { begins: "-----BEGIN PGP MESSAGE", message: "this file is encrypted with PGP", next: decrypted },
];

/** What a file is by its first bytes, when that is something else than text of ours. */
export function notPlain(bytes: Uint8Array): NotPlain | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 64)).toString("latin1");
  return heads.find(({ begins }) => head.startsWith(begins));
}

/** What to do about a file that is no YAML: a template and an open merge leave traces. */
export function adviceFor(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (text.includes("{{")) {
    return "If {{ }} in it makes it a template, render it first (helm template) and commit the outcome; nothing is pruned until then.";
  }
  if (text.includes("<<<<<<< ") && text.includes("\n>>>>>>> ")) {
    return "Resolve the merge conflict in it; nothing is pruned until then.";
  }
  return "Correct the file; nothing is pruned until it can be read.";
}
