import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { createRestic } from "../../../src/ports/restic/create-restic.ts";
import { parseVersion, supports } from "../../../src/ports/restic/feature-table.ts";
import type { BackupSummary, Restic, ResticSnapshot } from "../../../src/ports/restic/restic.ts";

/** Answers that no restic at hand gives on demand come from a program that says what restic would say. */
let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "holdfast-answers-"));
  mkdirSync(join(home, "data"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const repository = { url: "s3:http://store/bucket", password: "the-password", environment: {} };
const summary = `{"message_type":"summary","files_new":1,"snapshot_id":"${"ab".repeat(32)}"}`;

function saying(version: string, lines: string, variables: Readonly<Record<string, string>> = {}): Restic {
  const command = join(home, "restic");
  writeFileSync(command, `#!/bin/sh\nif [ "$1" = version ]; then echo "${version}"; exit 0; fi\n${lines}\n`);
  chmodSync(command, 0o755);
  const environment = { PATH: process.env["PATH"] ?? "", ...variables };
  return createRestic({ command, environment, clock: systemClock });
}

function backup(restic: Restic): Promise<BackupSummary> {
  return restic.backup(repository, { root: home, path: "/data", exclude: [], host: "h", tags: [] });
}

describe("a version of restic", () => {
  it.each([
    ["restic 0.13.1 compiled with go1.18", "ResticTooOld"],
    ["restic 0.9.6 compiled with go1.13", "ResticTooOld"],
    ["something else 1.2.3", "ResticNotFound"],
  ])("%j is refused as %s before anything runs", async (version, reason) => {
    const restic = saying(version, `touch ${"$0"}.ran`);
    await expect(restic.snapshots(repository)).rejects.toMatchObject({ reason, disposition: "stall" });
  });

  it.each(["restic 0.19.1 compiled", "restic 0.20.0-dev (compiled manually)", "restic 1.0.0"])(
    "%j is taken",
    async (version) => {
      expect(await saying(version, "echo '[]'").snapshots(repository)).toEqual([]);
    },
  );
});

describe("an answer of restic", () => {
  it("with an unknown exit code is a failure, also with a summary", async () => {
    const restic = saying("restic 0.19.1", `echo '${summary}'; exit 77`);
    await expect(backup(restic)).rejects.toMatchObject({ reason: "ResticFailed" });
  });

  it("with exit code 0 and no snapshot is a failure", async () => {
    await expect(backup(saying("restic 0.19.1", "exit 0"))).rejects.toMatchObject({ reason: "ResticFailed" });
    const empty = saying("restic 0.19.1", `echo '{"message_type":"summary"}'`);
    await expect(backup(empty)).rejects.toMatchObject({ reason: "ResticFailed" });
  });

  it("with exit code 3 and no snapshot is a failure, with one it is partial", async () => {
    await expect(backup(saying("restic 0.19.1", "exit 3"))).rejects.toMatchObject({ reason: "ResticFailed" });
    const partial = await backup(saying("restic 0.19.1", `echo '${summary}'; echo odd words >&2; exit 3`));
    expect(partial).toMatchObject({ partial: true, unread: ["odd words"] });
  });

  it("that skips a vanished target is partial although restic before 0.19 ends with 0", async () => {
    const lines = `echo 'data/x does not exist, skipping' >&2; echo '${summary}'`;
    const made = await backup(saying("restic 0.14.0", lines));
    expect(made).toMatchObject({ partial: true, unread: ["/data/x does not exist, skipping"] });
  });

  it("names at most 50 things that could not be read", async () => {
    const error = `{"message_type":"error","error":{"message":"gone"},"during":"archival","item":"/data/'$i'"}`;
    const lines = `for i in $(seq 200); do echo '${error}' >&2; done; echo '${summary}'; exit 3`;
    const made = await backup(saying("restic 0.19.1", lines));
    expect(made.unread).toHaveLength(50);
    expect(made.unread[0]).toBe("/data/1: gone");
  });

  it.each([
    [1, "Fatal: wrong password or no key found", "WrongPassword", 12],
    [12, "", "WrongPassword", 12],
    [
      1,
      "unable to create lock in backend: repository is already locked by PID 7 on pod",
      "RepositoryLocked",
      11,
    ],
    [11, "", "RepositoryLocked", 11],
    [10, "", "NoRepository", 10],
    [
      1,
      "Fatal: unable to open config file: Stat: dial tcp: refused\\nIs there a repository at",
      "ResticFailed",
      1,
    ],
    [
      1,
      "Fatal: unable to open config file: Stat: Access Denied.\\nIs there a repository at",
      "AccessDenied",
      1,
    ],
  ])("with exit code %i and %j is %s", async (code, words, reason, exitCode) => {
    const restic = saying("restic 0.16.0", `printf '${words}\\n' >&2; exit ${code}`);
    await expect(restic.check(repository)).rejects.toMatchObject({ reason, exitCode });
  });

  it.each([
    ["plain", "%b"],
    ["JSON", '{"message_type":"exit_error","code":1,"message":"%s"}'],
  ])("is told without the stack that restic prints below an error, %s", async (_form, format) => {
    const said =
      "unable to remove it\\nReadFull(<data/e00a>)\\nmain.init\\n\\tgithub.com/restic/cmd_forget.go:67\\nruntime.goexit\\n\\truntime/asm_amd64.s:1771\\nthe end";
    const restic = saying("restic 0.19.1", `printf '${format}\\n' '${said}' >&2; exit 1`);
    await expect(restic.forget(repository, ["abcd1234"])).rejects.toThrow(
      /exit code 1: unable to remove it; ReadFull\(<data\/e00a>\); the end$/,
    );
  });

  it("that is not JSON is a failure, not an empty list", async () => {
    await expect(saying("restic 0.19.1", "echo oops").snapshots(repository)).rejects.toMatchObject({
      reason: "ResticFailed",
    });
    const list = saying("restic 0.19.1", "echo '{}'; echo oops").list(repository, "ab".repeat(32));
    await expect(list[Symbol.asyncIterator]().next()).rejects.toMatchObject({ reason: "ResticFailed" });
  });
});

describe("a list of restic", () => {
  it("tells a snapshot that was made of more paths than a line usually holds", async () => {
    const says = `printf '{"id":"%s","paths":["%02000000d"]}\\n' ${"ab".repeat(32)} 0`;
    const told: ResticSnapshot[] = [];
    const options = { onSnapshot: (snapshot: ResticSnapshot) => void told.push(snapshot) };
    const list = saying("restic 0.19.1", says).list(repository, "ab".repeat(32), "/data", options);
    for await (const node of list) expect(node).toBeUndefined();
    expect(told).toMatchObject([{ id: "ab".repeat(32), paths: ["0".repeat(2_000_000)] }]);
  });
});

describe("what goes to restic", () => {
  it("never carries the password or a key into a message", async () => {
    const restic = saying(
      "restic 0.19.1",
      'echo "password $RESTIC_PASSWORD key $AWS_SECRET_ACCESS_KEY" >&2; exit 1',
    );
    const environment = { AWS_ACCESS_KEY_ID: "the-access-key", AWS_SECRET_ACCESS_KEY: "the-secret-key" };
    const thrown = await restic.check({ ...repository, environment }).catch((error: unknown) => error);
    expect(String(thrown)).toContain("password *** key ***");
  });

  it("leaves out restic's settings and another AWS identity of the machine", async () => {
    const outer = { RESTIC_PASSWORD_COMMAND: "evil", AWS_PROFILE: "other", HOME: home };
    const restic = saying("restic 0.19.1", `env > ${home}/env; echo '[]'`, outer);
    const environment = { AWS_ACCESS_KEY_ID: "k", AWS_SECRET_ACCESS_KEY: "s" };
    await restic.snapshots({ ...repository, environment });
    const seen = readFileSync(join(home, "env"), "utf8");
    expect(seen).toContain("RESTIC_PASSWORD=the-password");
    expect(seen).toContain(`HOME=${home}`);
    expect(seen).not.toMatch(/RESTIC_PASSWORD_COMMAND|AWS_PROFILE/);
  });

  it("holds a CA in a file for its user alone, which goes with the run", async () => {
    const look = 'f=${a#--cacert=}; stat -c %a "$f"; cat "$f"; echo "$f"';
    const script = `for a; do case $a in --cacert=*) ${look};; esac; done > ${home}/ca; echo '[]'`;
    const restic = saying("restic 0.19.1", script, { TMPDIR: home });
    await restic.snapshots({ ...repository, caCertificate: "PEM\n" });
    const [mode, content, file] = readFileSync(join(home, "ca"), "utf8").split("\n");
    expect([mode, content]).toEqual(["600", "PEM"]);
    expect(file?.startsWith(home)).toBe(true);
    expect(existsSync(file ?? "")).toBe(false);
  });
});

describe("the table of features", () => {
  const has = (version: string, feature: Parameters<typeof supports>[1]) => {
    const parsed = parseVersion(`restic ${version} compiled with go`);
    return parsed !== undefined && supports(parsed, feature);
  };

  it("knows the versions at its borders", () => {
    expect([has("0.13.9", "floor"), has("0.14.0", "floor")]).toEqual([false, true]);
    expect([has("0.15.2", "restoreSubfolder"), has("0.16.0", "restoreSubfolder")]).toEqual([false, true]);
    expect([has("0.17.0", "passwordExitCode"), has("0.17.1", "passwordExitCode")]).toEqual([false, true]);
    expect(has("1.0.0", "passwordExitCode")).toBe(true);
  });
});
