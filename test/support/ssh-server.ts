import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./free-port.ts";
import { pathOf } from "./real-parts.ts";
import { startReaper } from "./reaper.ts";

export type SshServer = {
  /** `ssh://user@127.0.0.1:port`; a path of this machine comes after it. */
  readonly url: string;
  readonly user: string;
  readonly port: number;
  readonly identityFile: string;
  readonly knownHostsFile: string;
  /** A private key that the server does not know. */
  readonly strangerFile: string;
  /** A `GIT_SSH_COMMAND` whose sessions share one connection, which saves each of them the handshake. */
  readonly sharedCommand: string;
  close(): Promise<void>;
};

/** A real sshd on a free loopback port, for the user who runs the tests, by public key only. */
export async function startSshServer(options: { readonly protocolV2?: boolean } = {}): Promise<SshServer> {
  const home = mkdtempSync(join(tmpdir(), "holdfast-ssh-"));
  const reaper = startReaper();
  reaper.watchDirectory(home);
  const port = await freePort();
  const user = userInfo().username;
  const file = (name: string) => join(home, name);
  for (const name of ["host", "client", "stranger"])
    execFileSync(join(dirname(pathOf("ssh")), "ssh-keygen"), [
      "-q",
      "-t",
      "ed25519",
      "-N",
      "",
      "-C",
      "test",
      "-f",
      file(name),
    ]);
  const hostKey = readFileSync(file("host.pub"), "utf8").split(" ").slice(0, 2).join(" ");
  writeFileSync(file("known_hosts"), `[127.0.0.1]:${port} ${hostKey}\n`);
  const settings = [
    `ListenAddress 127.0.0.1:${port}`,
    `HostKey ${file("host")}`,
    `AuthorizedKeysFile ${file("client.pub")}`,
    "PidFile none",
    "AuthenticationMethods publickey",
    "PermitRootLogin prohibit-password",
    `AllowUsers ${user}`,
    "StrictModes no",
    "UsePAM no",
    ...(options.protocolV2 === false ? [] : ["AcceptEnv GIT_PROTOCOL"]),
  ];
  writeFileSync(file("sshd_config"), `${settings.join("\n")}\n`);
  const sshd = [pathOf("sshd"), "-D", "-e", "-f", file("sshd_config")];
  // As root, sshd wants an empty /run/sshd: it gets one that nobody else sees.
  const hidden = 'mount -t tmpfs -o mode=755 tmpfs /run && mkdir -m 755 /run/sshd && exec "$@"';
  const [command = "", ...args] =
    userInfo().uid === 0
      ? ["unshare", "--mount", "--propagation", "private", "sh", "-c", hidden, "-", ...sshd]
      : sshd;
  const server = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  server.stderr.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-2_000);
  });
  reaper.watchProcess(server);
  for (let attempt = 0; !(await listens(port)); attempt++) {
    if (server.exitCode !== null || attempt > 200) throw new Error(`sshd does not listen: ${said}`);
    await sleep(50);
  }
  const shared = file("shared");
  const trust = ["-i", file("client"), "-o", `UserKnownHostsFile=${file("known_hosts")}`];
  const target = ["-p", String(port), `${user}@127.0.0.1`];
  const master = spawn(
    "ssh",
    ["-F", "none", "-MNS", shared, "-o", "BatchMode=yes", "-o", "SendEnv=GIT_PROTOCOL", ...trust, ...target],
    {
      stdio: "ignore",
    },
  );
  reaper.watchProcess(master);
  for (let attempt = 0; !existsSync(shared); attempt++) {
    if (master.exitCode !== null || attempt > 200)
      throw new Error("ssh does not connect to the sshd of the test");
    await sleep(50);
  }
  return {
    sharedCommand: `ssh -F none -S ${shared}`,
    url: `ssh://${user}@127.0.0.1:${port}`,
    user,
    port,
    identityFile: file("client"),
    knownHostsFile: file("known_hosts"),
    strangerFile: file("stranger"),
    close: () => reaper.close(),
  };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
