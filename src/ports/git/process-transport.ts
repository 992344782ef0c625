import {
  authenticationFailed,
  brokenReply,
  remoteNotFound,
  unreachable,
  unsupported,
  wordsOf,
} from "./git-errors.ts";
import { flushPacket, lineOf, packets } from "./pkt-line.ts";
import type { RemoteAddress } from "./remote-url.ts";
import { type Command, type Finished, runProcess } from "./run-process.ts";
import type { Deadlines, Exchange, Service, Transport } from "./transport.ts";

type ProcessAddress = Exclude<RemoteAddress, { kind: "http" }>;

/** Files for `ssh`; without them its own configuration and agent decide. */
export type SshFiles = {
  /** Private key, the only one that is tried. */
  readonly identityFile?: string;
  /** The host keys that are trusted, and no others. */
  readonly knownHostsFile?: string;
};

export type ProcessTransportOptions = {
  readonly ssh?: SshFiles;
  readonly address: ProcessAddress;
  readonly deadlines: Deadlines;
  readonly environment: NodeJS.ProcessEnv;
};

/**
 * The same conversation over one process of the system's `git` (a local path) or `ssh` per exchange:
 * it advertises first, gets the request, answers and ends.
 */
export class ProcessTransport implements Transport {
  readonly where: string;
  readonly #address: ProcessAddress;
  readonly #deadlines: Deadlines;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #ssh: SshFiles;
  #capabilities: readonly string[] | undefined;

  constructor({ address, deadlines, environment, ssh = {} }: ProcessTransportOptions) {
    this.where = address.where;
    this.#address = address;
    this.#deadlines = deadlines;
    this.#ssh = ssh;
    this.#environment = environmentFor(environment);
  }

  async capabilities(signal: AbortSignal | undefined): Promise<readonly string[]> {
    if (!this.#capabilities) {
      await this.exchange({ service: "upload-pack", body: flushPacket, maxReplyBytes: 65_536, signal });
    }
    return this.#capabilities ?? [];
  }

  async exchange(exchange: Exchange): Promise<Buffer> {
    const command: Command = {
      ...commandFor(this.#address, exchange.service, this.#ssh),
      environment: this.#environment,
      where: this.where,
    };
    const finished = await runProcess(command, exchange, this.#deadlines);
    const { lines, end } = advertisementOf(finished.output);
    // A reply that was begun carries the server's reason itself.
    const answered = end !== undefined && (finished.code === 0 || finished.output.length > end);
    if (!answered) throw this.#failure(finished, lines);
    if (exchange.service === "upload-pack") this.#accept(lines);
    return finished.output.subarray(end);
  }

  #accept([version, ...capabilities]: readonly string[]): void {
    if (version !== "version 2") {
      throw unsupported(
        this.where,
        "does not speak version 2 of Git's protocol",
        this.#address.kind === "ssh"
          ? "Set `AcceptEnv GIT_PROTOCOL` in the server's sshd_config, or use an https:// URL."
          : "Update the system's git to 2.26 or newer.",
      );
    }
    this.#capabilities = capabilities;
  }

  #failure({ code, words }: Finished, lines: readonly string[]): Error {
    const refusal = lines.find((line) => line.startsWith("ERR "))?.slice(4);
    const said = wordsOf(refusal ?? words) || `exit code ${code}`;
    if (/permission denied \(|host key verification failed|too many authentication failures/i.test(said)) {
      return authenticationFailed(this.where, said);
    }
    if (
      /does not appear to be a git repository|repository .*not found|no such file or directory|dubious ownership|permission denied/i.test(
        said,
      )
    ) {
      return remoteNotFound(this.where, said);
    }
    return code === 0
      ? brokenReply("it has no advertisement")
      : unreachable(this.where, `cannot be talked to: ${said}`);
  }
}

function commandFor(
  address: ProcessAddress,
  service: Service,
  ssh: SshFiles,
): Pick<Command, "file" | "args"> {
  if (address.kind === "local") {
    return { file: "git", args: ["-c", "uploadpack.allowFilter=true", service, address.path] };
  }
  const settings = ["BatchMode=yes", "ConnectTimeout=15", "SendEnv=GIT_PROTOCOL"];
  if (ssh.identityFile) settings.push("IdentitiesOnly=yes", `IdentityFile=${quoted(ssh.identityFile)}`);
  if (ssh.knownHostsFile) {
    settings.push("StrictHostKeyChecking=yes", `UserKnownHostsFile=${quoted(ssh.knownHostsFile)}`);
  }
  const options = settings.flatMap((setting) => ["-o", setting]);
  if (address.port !== undefined) options.push("-p", String(address.port));
  // The other end's shell reads the path, so that it is quoted for it the way git does.
  const path = `'${address.path.replaceAll(/['!]/g, "'\\$&'")}'`;
  return { file: "ssh", args: [...options, "--", address.destination, `git-${service} ${path}`] };
}

/** For ssh's configuration syntax, which splits at spaces and expands percent signs. */
function quoted(file: string): string {
  return `"${file.replaceAll("%", "%%")}"`;
}

/** Without Git's own variables: under a hook they would name another repository. */
function environmentFor(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(
    ([name]) => !name.startsWith("GIT_") || name.startsWith("GIT_CONFIG"),
  );
  return { ...Object.fromEntries(kept), GIT_PROTOCOL: "version=2", GIT_TERMINAL_PROMPT: "0", LC_ALL: "C" };
}

function advertisementOf(output: Buffer): {
  readonly lines: readonly string[];
  readonly end: number | undefined;
} {
  const lines: string[] = [];
  for (const each of packets(output)) {
    if (each.kind === "flush") return { lines, end: each.end };
    if (each.kind === "data") lines.push(lineOf(each.data));
  }
  return { lines, end: undefined };
}
