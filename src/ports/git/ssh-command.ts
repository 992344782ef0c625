import { HoldfastError } from "../../base/errors.ts";

/** Files for `ssh`; without them its own configuration and agent decide. */
export type SshFiles = {
  /** Private key, the only one that is tried. */
  readonly identityFile?: string;
  /** The host keys that are trusted, and no others. */
  readonly knownHostsFile?: string;
};

export type SshTarget = {
  /** `host` or `user@host`. */
  readonly destination: string;
  readonly port: number | undefined;
  /** What runs at the other end. */
  readonly command: string;
};

export type SshSettings = {
  readonly files: SshFiles;
  readonly connectMs: number;
  readonly environment: NodeJS.ProcessEnv;
};

/**
 * The words that start ssh: those of `GIT_SSH_COMMAND` or `ssh`, then our options. Of an option that is given twice
 * ssh takes the first, so that the person's own win. Host keys are never accepted unseen.
 */
export function sshCommand(
  { destination, port, command }: SshTarget,
  { files, connectMs, environment }: SshSettings,
): { readonly file: string; readonly args: readonly string[] } {
  const [file = "ssh", ...own] = wordsOfCommand(environment["GIT_SSH_COMMAND"] ?? "");
  const settings = [
    "BatchMode=yes",
    `ConnectTimeout=${Math.ceil(connectMs / 1_000)}`,
    "SendEnv=GIT_PROTOCOL",
    "StrictHostKeyChecking=yes",
  ];
  if (files.identityFile) settings.push("IdentitiesOnly=yes", `IdentityFile=${quoted(files.identityFile)}`);
  if (files.knownHostsFile) settings.push(`UserKnownHostsFile=${quoted(files.knownHostsFile)}`);
  const options = settings.flatMap((setting) => ["-o", setting]);
  if (port !== undefined) options.push("-p", String(port));
  return { file, args: [...own, ...options, "--", destination, command] };
}

/** For ssh's configuration syntax, which splits at spaces and expands percent signs. */
function quoted(file: string): string {
  return `"${file.replaceAll("%", "%%")}"`;
}

/**
 * A command line as a shell splits it: at spaces, with quotes and backslashes. Nothing is handed to a shell, so
 * that whatever only a shell could do is refused by name.
 */
function wordsOfCommand(line: string): readonly string[] {
  const word = /(?:[^\s"'\\$`;&|<>()*?[\]#]|\\.|'[^']*'|"(?:[^"\\$`]|\\.)*")+/gy;
  const words: string[] = [];
  let at = 0;
  for (;;) {
    at += /^\s*/.exec(line.slice(at))?.[0].length ?? 0;
    if (at >= line.length) break;
    word.lastIndex = at;
    const found = word.exec(line)?.[0];
    if (found === undefined) throw refused(line.charAt(at));
    words.push(unquoted(found));
    at += found.length;
  }
  const [first = ""] = words;
  if (/^[A-Za-z_]\w*=/.test(first)) throw refused("=");
  return words;
}

function unquoted(word: string): string {
  return word.replace(
    /'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)/g,
    (_, single?: string, double?: string, escaped?: string) =>
      single ?? double?.replace(/\\(["\\$`])/g, "$1") ?? escaped ?? "",
  );
}

function refused(character: string): HoldfastError {
  return new HoldfastError(
    "SshCommandRefused",
    `GIT_SSH_COMMAND cannot be used: it holds ${JSON.stringify(character)} where only a shell knows what is meant`,
    {
      disposition: "stall",
      next: "Write a program and its options, with paths in full; Holdfast runs it without a shell.",
    },
  );
}
