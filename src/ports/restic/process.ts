import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HoldfastError } from "../../base/errors.ts";
import { type ExecRequest, type ExecResult, exec, execLines } from "../../base/exec.ts";
import { createRedactor } from "../../base/redact.ts";
import { isSecretName } from "../../base/secret-name.ts";
import { type Doing, failureOf, isHopeless } from "./failure.ts";
import { parseVersion, type ResticVersion, refuseTooOld } from "./feature-table.ts";
import type { ResticRepository } from "./restic.ts";

/** How long restic may take, in milliseconds. */
export type Deadlines = {
  /** Opening, initialising, listing, unlocking; 5 minutes by default. */
  readonly shortMs: number;
  /** Moving or reading data: backup, restore, prune, check; 24 hours by default. */
  readonly longMs: number;
};

export type Invocation = {
  readonly args: readonly string[];
  readonly doing: Doing;
  readonly long?: true;
  readonly cwd?: string;
  readonly stdin?: Uint8Array;
  readonly signal?: AbortSignal | undefined;
  readonly maxOutputBytes?: number;
  readonly maxLineBytes?: number;
  readonly onStdoutLine?: (line: string) => void;
  readonly onStderrLine?: (line: string) => void;
  /** Exit codes that are an answer; 0 alone by default. */
  readonly accept?: readonly number[];
};

/** restic as a process: secrets by environment, deadlines, and failures in the house's words. */
export type ResticProcess = {
  version(): Promise<ResticVersion>;
  run(repository: ResticRepository, invocation: Invocation): Promise<ExecResult>;
  lines(repository: ResticRepository, invocation: Invocation): AsyncGenerator<string, void, void>;
};

export type ProcessOptions = {
  readonly command: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly deadlines: Deadlines;
};

export function createResticProcess(options: ProcessOptions): ResticProcess {
  let known: Promise<ResticVersion> | undefined;
  const version = () => {
    known ??= readVersion(options).catch((thrown: unknown) => {
      // Not kept: a restic that is installed meanwhile is found by the next call.
      known = undefined;
      throw thrown;
    });
    return known;
  };
  return {
    version,
    async run(repository, invocation) {
      await version();
      return withCertificate(repository, options, async (certificate) => {
        const patience = limitPatience(invocation);
        const result = await exec(requestOf(options, repository, patience.invocation, certificate));
        const judged = patience.judge(result);
        if (invocation.long && wasEnded(judged)) {
          await exec(requestOf(options, repository, clearing, certificate)).catch(() => undefined);
        }
        refuseFailure(judged, repository, invocation);
        return judged;
      });
    },
    async *lines(repository, invocation) {
      await version();
      const certificate = await writeCertificate(repository, options);
      try {
        const patience = limitPatience(invocation);
        const request = requestOf(options, repository, patience.invocation, certificate?.file);
        const result = yield* execLines(request);
        refuseFailure(patience.judge(result), repository, invocation);
      } finally {
        await certificate?.remove();
      }
    },
  };
}

/**
 * After a run that was ended: restic before 0.17 leaves its lock when the signal meets it early, every restic
 * when it is killed. `unlock` takes away the locks of dead processes of this host, and of nobody who lives.
 * If it fails, the next exclusive run says who holds the lock.
 */
const clearing: Invocation = { args: ["unlock", "--quiet"], doing: { what: "remove locks", where: "" } };

function wasEnded(result: ExecResult): boolean {
  return result.durationMs > 0 && (result.aborted || result.timedOut || result.signal !== undefined);
}

/** Replaces what a repository keeps secret in a text. */
export function redactorOf(repository: ResticRepository): (text: string) => string {
  const values = Object.entries(repository.environment).flatMap(([name, value]) =>
    isSecretName(name) ? [value] : [],
  );
  return createRedactor([repository.password, ...values]);
}

/**
 * Ends a restic that repeats a refused request (no such bucket, wrong keys), which it would do for 15 minutes.
 * One repetition is granted, because a store may need a moment to know a new key.
 */
function limitPatience(invocation: Invocation) {
  const enough = new AbortController();
  let refusals = 0;
  const signal = invocation.signal ? AbortSignal.any([invocation.signal, enough.signal]) : enough.signal;
  const onStderrLine = (line: string) => {
    if (isHopeless(line)) refusals += 1;
    if (refusals > 1) enough.abort();
    invocation.onStderrLine?.(line);
  };
  return {
    invocation: { ...invocation, signal, onStderrLine },
    /** Ended by us for what it said, which the failure then names: no interruption from outside. */
    judge: (result: ExecResult): ExecResult =>
      enough.signal.aborted && !invocation.signal?.aborted
        ? { ...result, aborted: false, timedOut: true }
        : result,
  };
}

function refuseFailure(result: ExecResult, repository: ResticRepository, invocation: Invocation): void {
  const accepted = invocation.accept ?? [0];
  const ended = !result.aborted && !result.timedOut && result.exitCode !== undefined;
  if (ended && accepted.includes(result.exitCode ?? -1)) return;
  throw failureOf(result, invocation.doing, redactorOf(repository));
}

function requestOf(
  options: ProcessOptions,
  repository: ResticRepository,
  invocation: Invocation,
  certificate: string | undefined,
): ExecRequest {
  return {
    command: options.command,
    args: [...commonArgs(repository, certificate), ...invocation.args],
    environment: environmentOf(options.environment, repository),
    deadlineMs: invocation.long ? options.deadlines.longMs : options.deadlines.shortMs,
    // restic before 0.17 dies of TERM without taking its lock away; INT has always been handled.
    softSignal: "SIGINT",
    graceMs: 15_000,
    ...(invocation.cwd === undefined ? {} : { cwd: invocation.cwd }),
    ...(invocation.stdin === undefined ? {} : { stdin: invocation.stdin }),
    ...(invocation.signal === undefined ? {} : { signal: invocation.signal }),
    ...(invocation.maxOutputBytes === undefined ? {} : { maxOutputBytes: invocation.maxOutputBytes }),
    ...(invocation.maxLineBytes === undefined ? {} : { maxLineBytes: invocation.maxLineBytes }),
    ...(invocation.onStdoutLine === undefined ? {} : { onStdoutLine: invocation.onStdoutLine }),
    ...(invocation.onStderrLine === undefined ? {} : { onStderrLine: invocation.onStderrLine }),
  };
}

function commonArgs(repository: ResticRepository, certificate: string | undefined): readonly string[] {
  const { cacheDirectory, maxConnections } = repository;
  const scheme = /^([a-z0-9]+):/.exec(repository.url)?.[1] ?? "local";
  return [
    ...(cacheDirectory === undefined ? ["--no-cache"] : ["--cleanup-cache", `--cache-dir=${cacheDirectory}`]),
    ...(maxConnections === undefined ? [] : ["-o", `${scheme}.connections=${maxConnections}`]),
    ...(repository.insecureTLS ? ["--insecure-tls"] : []),
    ...(certificate === undefined ? [] : [`--cacert=${certificate}`]),
  ];
}

/**
 * The repository's own variables win. restic's settings of the outer environment never count, and where the
 * repository brings AWS keys, neither does another AWS identity.
 */
function environmentOf(
  outer: Readonly<Record<string, string>>,
  repository: ResticRepository,
): Readonly<Record<string, string>> {
  const bringsKeys = repository.environment["AWS_ACCESS_KEY_ID"] !== undefined;
  const inherited = Object.entries(outer).filter(
    ([name]) => !name.startsWith("RESTIC_") && name !== "PWD" && !(bringsKeys && name.startsWith("AWS_")),
  );
  return {
    ...Object.fromEntries(inherited),
    ...repository.environment,
    RESTIC_REPOSITORY: repository.url,
    RESTIC_PASSWORD: repository.password,
    // One status line per second.
    RESTIC_PROGRESS_FPS: "1",
  };
}

async function withCertificate<T>(
  repository: ResticRepository,
  options: ProcessOptions,
  use: (file: string | undefined) => Promise<T>,
): Promise<T> {
  const certificate = await writeCertificate(repository, options);
  try {
    return await use(certificate?.file);
  } finally {
    await certificate?.remove();
  }
}

async function writeCertificate(repository: ResticRepository, options: ProcessOptions) {
  if (repository.caCertificate === undefined) return undefined;
  const folder = await temporaryFolder(options.environment);
  const file = join(folder, "ca.pem");
  await writeFile(file, repository.caCertificate, { mode: 0o600 });
  return { file, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** A new folder that only this user can enter. */
export async function temporaryFolder(environment: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(environment["TMPDIR"] || tmpdir(), "holdfast-restic-"));
  await chmod(folder, 0o700);
  return folder;
}

async function readVersion(options: ProcessOptions): Promise<ResticVersion> {
  const { command, environment, deadlines } = options;
  const result = await exec({ command, args: ["version"], environment, deadlineMs: deadlines.shortMs }).catch(
    (cause: unknown) => {
      throw notFound(command, cause);
    },
  );
  const version = result.exitCode === 0 ? parseVersion(result.stdout) : undefined;
  if (version === undefined) {
    throw new HoldfastError("ResticNotFound", `${command} does not answer \`version\` as restic does`, {
      disposition: "stall",
      next: howToInstall,
    });
  }
  refuseTooOld(version);
  return version;
}

const howToInstall =
  "Install restic (`apt-get install restic`, `brew install restic`, or https://restic.net) and put it on the PATH.";

function notFound(command: string, cause: unknown): unknown {
  if (!(cause instanceof HoldfastError)) return cause;
  return new HoldfastError("ResticNotFound", `there is no restic here: ${cause.message}`, {
    disposition: "stall",
    next: `${howToInstall} Holdfast looked for \`${command}\`.`,
    cause,
  });
}
