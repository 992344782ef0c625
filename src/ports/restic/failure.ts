import { HoldfastError } from "../../base/errors.ts";
import type { ExecResult } from "../../base/exec.ts";
import { ExitCode } from "../../base/exit-code.ts";
import { withoutFrames, wordsOf } from "./messages.ts";

/** Lines of restic's words that go into a message, the last ones. */
const maxWordLines = 12;

/** What was asked of restic, for the sentence: `back up /data into s3:…`. */
export type Doing = { readonly what: string; readonly where: string };

/**
 * Turns a restic that did not do what was asked into the house's error. Exit codes count where restic has
 * them; the messages are read always, since 0.14 … 0.16 say everything with exit code 1 and their words
 * have not changed since (docs: 075_scripting.rst, "Exit codes").
 */
export function failureOf(result: ExecResult, doing: Doing, redact: (text: string) => string): HoldfastError {
  const words = redact(resticWords(result));
  const said = words === "" ? "" : `: ${words}`;
  const could = `restic could not ${doing.what} (${redact(doing.where)})`;
  if (result.aborted) {
    return new HoldfastError("Interrupted", `${could}: it was interrupted${said}`, {
      disposition: "retry",
      exitCode: ExitCode.interrupted,
    });
  }
  const known = rules.find((rule) => fits(rule, result, words));
  // restic from 0.17 on repeats a request that was refused for good, up to 15 minutes.
  if (result.timedOut && !known?.isFinal) {
    const seconds = Math.round(result.durationMs / 1000);
    return new HoldfastError("ResticTimedOut", `${could} within ${seconds} s${said}`, {
      disposition: "retry",
      next: "Check that the backend is reachable and fast enough, or allow more time.",
    });
  }
  if (known !== undefined) {
    const { reason, disposition, next, exitCode } = known;
    const code = exitCode === undefined ? {} : { exitCode };
    return new HoldfastError(reason, `${could}${said}`, { disposition, next, ...code });
  }
  if (result.signal !== undefined) {
    return new HoldfastError("ResticFailed", `${could}: it was ended by ${result.signal}${said}`, {
      disposition: "retry",
      next: "Give the container more memory if the kernel ended it.",
    });
  }
  return new HoldfastError("ResticFailed", `${could}: exit code ${result.exitCode}${said}`, {
    disposition: "retry",
    next: "Read what restic says above; `restic` with the same repository and password answers the same.",
  });
}

function fits(rule: Rule, result: ExecResult, words: string): boolean {
  if (rule.exitCode !== undefined && rule.exitCode === result.exitCode) return true;
  return rule.words?.test(words) ?? false;
}

/** A line with which restic says that it will try again to open a repository that it may never open. */
export function isHopeless(line: string): boolean {
  if (!/\(<config\/?[^>]*>.* returned error, retrying after/.test(line)) return false;
  return rules.some((rule) => rule.isFinal && rule.words?.test(line));
}

/** The last lines of what restic said, in words. */
export function resticWords(result: Pick<ExecResult, "stderr">): string {
  return withoutFrames(result.stderr.split("\n"))
    .map(wordsOf)
    .filter((line) => line !== "")
    .slice(-maxWordLines)
    .join("; ");
}

type Rule = {
  readonly reason: string;
  readonly exitCode?: number;
  readonly words?: RegExp;
  readonly disposition: "retry" | "stall";
  readonly next: string;
  /** Trying the same request again cannot help. */
  readonly isFinal?: true;
};

/** The first that fits decides: a lock or a password is more telling than what follows from it. */
const rules: readonly Rule[] = [
  {
    reason: "BucketNotFound",
    isFinal: true,
    words: /specified bucket does not exist|NoSuchBucket/i,
    disposition: "stall",
    next: "Create the bucket or correct its name in the BackupStorage.",
  },
  {
    reason: "AccessDenied",
    isFinal: true,
    words: /access ?denied|SignatureDoesNotMatch|signature we calculated|InvalidAccessKeyId|access key id/i,
    disposition: "stall",
    next: "Check the storage Secret's keys and what they may do in the bucket.",
  },
  {
    reason: "RepositoryLocked",
    exitCode: ExitCode.locked,
    words: /repository is already locked|unable to create lock in backend/i,
    disposition: "retry",
    next: "Wait until the holder is done; a lock whose holder is gone is removed by `restic unlock`.",
  },
  {
    reason: "WrongPassword",
    exitCode: ExitCode.wrongPassword,
    words: /wrong password or no key found/i,
    disposition: "stall",
    next: "Give the encryption Secret the RESTIC_PASSWORD with which the repository was made.",
  },
  {
    reason: "RepositoryDamaged",
    words: /ciphertext verification failed|repository contains errors/i,
    disposition: "stall",
    next: "Run `restic check`; a repository that two processes initialised at once and that is empty can be removed.",
  },
  {
    reason: "NoRepository",
    exitCode: ExitCode.noRepository,
    // 0.14 asks "Is there a repository at the following location?" after network errors too: that is no proof.
    words:
      /unable to open config file: .*(no such file or directory|specified key does not exist|NoSuchKey)/i,
    disposition: "stall",
    next: "Check the BackupStorage's location; a backup makes the repository.",
  },
  {
    reason: "DiskFull",
    words: /no space left on device|disk quota exceeded/i,
    disposition: "retry",
    next: "Make room at the path that restic names.",
  },
  {
    reason: "SnapshotNotFound",
    words:
      /no matching ID found|failed to find snapshot|no snapshot found|multiple IDs with prefix|failed to load snapshot .*(no such file or directory|specified key does not exist)/i,
    disposition: "stall",
    next: "Name a Snapshot whose data is still in the repository (`holdfast snapshots`).",
  },
];
