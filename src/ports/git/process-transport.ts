import {
  authenticationFailed,
  brokenReply,
  notTrusted,
  remoteNotFound,
  unreachable,
  unsupported,
  wordsOf,
} from "./git-errors.ts";
import { flushPacket, lineOf, packets } from "./pkt-line.ts";
import type { RemoteAddress } from "./remote-url.ts";
import { type Command, type Finished, runProcess } from "./run-process.ts";
import { type SshFiles, sshCommand } from "./ssh-command.ts";
import type { Deadlines, Exchange, Service, Transport } from "./transport.ts";

type ProcessAddress = Exclude<RemoteAddress, { kind: "http" }>;

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
  readonly #commandFor: (service: Service) => Pick<Command, "file" | "args">;
  #capabilities: readonly string[] | undefined;

  constructor({ address, deadlines, environment, ssh = {} }: ProcessTransportOptions) {
    this.where = address.where;
    this.#address = address;
    this.#deadlines = deadlines;
    this.#environment = environmentFor(environment);
    this.#commandFor = (service) =>
      address.kind === "local"
        ? { file: "git", args: ["-c", "uploadpack.allowFilter=true", service, address.path] }
        : sshCommand(
            { ...address, command: `git-${service} ${quotedForShell(address.path)}` },
            { files: ssh, connectMs: deadlines.connectMs, environment },
          );
  }

  async capabilities(signal: AbortSignal | undefined): Promise<readonly string[]> {
    if (!this.#capabilities) {
      await this.exchange({ service: "upload-pack", body: flushPacket, maxReplyBytes: 65_536, signal });
    }
    return this.#capabilities ?? [];
  }

  async exchange(exchange: Exchange): Promise<Buffer> {
    const command: Command = {
      ...this.#commandFor(exchange.service),
      environment: this.#environment,
      where: this.where,
    };
    const finished = await runProcess(command, exchange, this.#deadlines);
    const { lines, end } = advertisementOf(finished.output);
    const refusal = lines.find((line) => line.startsWith("ERR "));
    // A server of another version takes the request for nonsense, so that this comes before how it ended.
    if (exchange.service === "upload-pack" && end !== undefined && refusal === undefined) this.#accept(lines);
    // A reply that was begun carries the server's reason itself.
    const answered = end !== undefined && (finished.code === 0 || finished.output.length > end);
    if (!answered) throw this.#failure(finished, refusal?.slice(4));
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

  #failure({ code, words }: Finished, refusal: string | undefined): Error {
    const said = wordsOf(refusal ?? words) || `exit code ${code}`;
    if (/host key verification failed|host identification has changed/i.test(said)) {
      return notTrusted(
        "HostKeyNotTrusted",
        `The host key of ${this.where} is not trusted: ${said}`,
        "Compare the key with what its owner publishes, then add it to known_hosts (ssh-keyscan prints it), or name another file in GIT_SSH_COMMAND.",
      );
    }
    if (/permission denied \(|too many authentication failures/i.test(said)) {
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

/** The other end's shell reads the path, so that it is quoted for it the way git does. */
function quotedForShell(path: string): string {
  return `'${path.replaceAll(/['!]/g, "'\\$&'")}'`;
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
