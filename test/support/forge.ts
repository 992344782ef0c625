import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./free-port.ts";
import { type GitRepository, gitIn } from "./git-remote.ts";
import { pathOf } from "./real-parts.ts";
import { startReaper } from "./reaper.ts";

export type Forge = {
  readonly url: string;
  readonly username: string;
  readonly token: string;
  /** An empty repository of the user, private. */
  repository(): GitRepository;
  close(): Promise<void>;
};

/** A real forge (Gitea) on a free loopback port, with one user and a token of theirs. */
export async function startForge(): Promise<Forge> {
  const home = mkdtempSync(join(tmpdir(), "holdfast-forge-"));
  const reaper = startReaper();
  reaper.watchDirectory(home);
  const port = await freePort();
  const gitea = realpathSync(pathOf("gitea"));
  const config = join(home, "app.ini");
  mkdirSync(join(home, "repos"));
  writeFileSync(config, settings({ home, port, data: join(dirname(gitea), "gitea-data") }), { mode: 0o600 });
  const run = (...args: readonly string[]) =>
    execFileSync(gitea, ["--config", config, ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  const username = "alice";
  run("migrate");
  const password = randomBytes(12).toString("hex");
  const account = [`--username=${username}`, `--password=${password}`, "--email=alice@forge.test"];
  run("admin", "user", "create", ...account, "--must-change-password=false", "--admin");
  const minted = ["--token-name=test", "--scopes=all", "--raw"];
  const said = run("admin", "user", "generate-access-token", `--username=${username}`, ...minted);
  const token = said.trim().split("\n").at(-1) ?? "";
  const server = spawn(gitea, ["--config", config, "web"], { stdio: "ignore" });
  reaper.watchProcess(server);
  const url = `http://127.0.0.1:${port}`;
  for (let attempt = 0; !(await fetch(`${url}/api/v1/version`).catch(() => undefined))?.ok; attempt++) {
    if (server.exitCode !== null || attempt > 400) throw new Error(`Gitea does not answer at ${url}`);
    await sleep(50);
  }
  let count = 0;
  return {
    url,
    username,
    token,
    repository() {
      const name = `repo-${++count}`;
      // Synchronous, as the other servers make theirs.
      const body = JSON.stringify({ name, private: true, default_branch: "main" });
      execFileSync("curl", ["-fsS", "-o", "/dev/null", "-K", "-"], {
        input: [
          `url = "${url}/api/v1/user/repos"`,
          `header = "Authorization: token ${token}"`,
          'header = "Content-Type: application/json"',
          `data = ${JSON.stringify(body)}`,
        ].join("\n"),
      });
      return gitIn(join(home, "repos", username, `${name}.git`), `${url}/${username}/${name}.git`);
    },
    close: () => reaper.close(),
  };
}

function settings({ home, port, data }: { home: string; port: number; data: string }): string {
  return `I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true
APP_NAME = forge
RUN_MODE = prod
RUN_USER = ${userInfo().username}
WORK_PATH = ${home}
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = ${port}
ROOT_URL = http://127.0.0.1:${port}/
STATIC_ROOT_PATH = ${data}
DISABLE_SSH = true
OFFLINE_MODE = true
LFS_START_SERVER = false
[database]
DB_TYPE = sqlite3
PATH = ${join(home, "gitea.db")}
[security]
INSTALL_LOCK = true
SECRET_KEY = ${randomBytes(16).toString("hex")}
[service]
DISABLE_REGISTRATION = true
[repository]
ROOT = ${join(home, "repos")}
[cron]
ENABLED = false
[actions]
ENABLED = false
[log]
LEVEL = error
`;
}
