import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ResticSnapshot } from "../../../src/ports/restic/restic.ts";
import { resticsAtHand } from "../../support/restics.ts";
import {
  type Bench,
  childrenOfThisProcess,
  eventually,
  failureFrom,
  openBench,
  password,
  pathsIn,
  requestFor,
  slowRestic,
  templateOf,
} from "./bench-of-restic.ts";

const isRoot = process.getuid?.() === 0;

for (const at of resticsAtHand()) {
  const template = templateOf(at);
  afterAll(() => template.dispose());
  let bench: Bench;
  beforeEach(() => {
    bench = openBench(at);
    mkdirSync(join(bench.root, "data"));
    writeFileSync(join(bench.root, "data/file"), "content");
  });
  afterEach(() => bench.dispose());

  // A lock that is being written has another name until it is whole, and counts for nobody.
  const locks = () =>
    readdirSync(join(bench.repository.url, "locks")).filter((name) => /^[0-9a-f]{64}$/.test(name));
  const largestPack = (): string => {
    const sizes = readdirSync(join(bench.repository.url, "data"), { recursive: true, encoding: "utf8" })
      .map((name) => join(bench.repository.url, "data", name))
      .map((path) => ({ path, stat: statSync(path) }))
      .filter(({ stat }) => stat.isFile())
      .sort((a, b) => b.stat.size - a.stat.size);
    return sizes[0]?.path ?? "";
  };
  /** A backup that has got its lock and will take long. */
  const startSlowBackup = async (
    given: { readonly deadlineMs?: number; readonly signal?: AbortSignal } = {},
  ) => {
    writeFileSync(join(bench.root, "data/large"), randomBytes(3 * 1024 * 1024));
    const deadlines = { longMs: given.deadlineMs ?? 60_000 };
    const slow = bench.with({ command: slowRestic(bench), deadlines });
    const options = given.signal === undefined ? {} : { signal: given.signal };
    const ending = failureFrom(slow.backup(bench.repository, requestFor(bench), options));
    await eventually(() => (locks().length > 0 ? true : undefined));
    const child = await eventually(() =>
      childrenOfThisProcess().find(({ commandLine }) => commandLine.includes(" backup ")),
    );
    return { ending, child };
  };

  describe(`the repository by restic ${at.version}`, () => {
    it("is made once, also when several ask at the same time", async () => {
      const asked = [bench.restic, bench.with({}), bench.restic].map((one) =>
        one.ensureRepository(bench.repository),
      );
      const answers = await Promise.all(asked);
      expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
      expect(answers.filter(({ created }) => created)).toHaveLength(1);
      expect(await bench.restic.snapshots(bench.repository)).toEqual([]);
      expect(readdirSync(bench.home).filter((name) => name.startsWith(".holdfast-init"))).toEqual([]);
    });

    it("is not made again over another password, nor over what is left of one", async () => {
      await template.copyTo(bench);
      const config = readFileSync(join(bench.repository.url, "config"));
      const wrong = { ...bench.repository, password: "another-password" };
      for (const ask of [() => bench.restic.ensureRepository(wrong), () => bench.restic.snapshots(wrong)]) {
        expect(await failureFrom(ask())).toMatchObject({
          reason: "WrongPassword",
          disposition: "stall",
          exitCode: 12,
        });
      }
      expect(readFileSync(join(bench.repository.url, "config"))).toEqual(config);
      expect(readdirSync(join(bench.repository.url, "keys"))).toHaveLength(1);
      rmSync(join(bench.repository.url, "config"));
      const half = await failureFrom(bench.restic.ensureRepository(bench.repository));
      expect(half.reason).toBe("RepositoryHalfMade");
    });

    it("is named when it is not there, and reading does not make it", async () => {
      const failure = await failureFrom(bench.restic.snapshots(bench.repository));
      expect(failure).toMatchObject({ reason: "NoRepository", disposition: "stall", exitCode: 10 });
      expect(readdirSync(bench.home)).not.toContain("repository");
    });
  });

  describe(`what restic ${at.version} does in a repository`, () => {
    it("lists, measures, checks and forgets", async () => {
      await template.copyTo(bench);
      const { restic, repository } = bench;
      const one = await restic.backup(repository, requestFor(bench));
      writeFileSync(join(bench.root, "data/more"), randomBytes(200_000));
      const two = await restic.backup(repository, requestFor(bench, { tags: ["a=b", "c"] }));
      const all = await restic.snapshots(repository);
      expect(all.map(({ id }) => id)).toEqual([one.snapshotId, two.snapshotId]);
      expect(all[1]).toMatchObject({ host: "demo-orders", tags: ["a=b", "c"] });
      const absent = "0123456789abcdef".repeat(4);
      const named = await restic.snapshots(repository, [two.snapshotId, absent]);
      expect(named.map(({ id }) => id)).toEqual([two.snapshotId]);
      const before = await restic.size(repository);
      expect(before).toBeGreaterThan(200_000);
      await restic.check(repository, { readData: true });
      await restic.forget(repository, [two.snapshotId, absent]);
      await restic.forget(repository, [two.snapshotId]);
      expect((await restic.snapshots(repository)).map(({ id }) => id)).toEqual([one.snapshotId]);
      expect(await restic.size(repository)).toBeLessThan(before - 150_000);
    });

    it("tells a snapshot, as the repository lists it, before its nodes", async () => {
      await template.copyTo(bench);
      const { restic, repository } = bench;
      const { snapshotId } = await restic.backup(repository, requestFor(bench));
      const told: unknown[] = [];
      const onSnapshot = (snapshot: ResticSnapshot) => void told.push(snapshot);
      for await (const { path } of restic.list(repository, snapshotId, "/data", { onSnapshot }))
        told.push(path);
      expect(told.slice(0, 2)).toEqual([...(await restic.snapshots(repository)), "/data"]);
    });

    it("refuses what is no id, and names a snapshot that is gone", async () => {
      await template.copyTo(bench);
      for (const id of ["latest", "--prune", "", "0123"]) {
        expect((await failureFrom(bench.restic.forget(bench.repository, [id]))).reason).toBe(
          "InvalidSnapshotId",
        );
      }
      const snapshotId = "0123456789abcdef".repeat(4);
      const request = { snapshotId, root: bench.root, path: "/data", include: [], exclude: [] };
      for (const ask of [
        () => pathsIn(bench, snapshotId),
        () => bench.restic.restore(bench.repository, request),
      ]) {
        expect((await failureFrom(ask())).reason).toBe("SnapshotNotFound");
      }
    });

    it("is told to be damaged by a check that reads the data", async () => {
      await template.copyTo(bench);
      writeFileSync(join(bench.root, "data/large"), randomBytes(100_000));
      await bench.restic.backup(bench.repository, requestFor(bench));
      const pack = largestPack();
      const content = readFileSync(pack);
      content.writeUInt8(content.readUInt8(5000) ^ 0xff, 5000);
      chmodSync(pack, 0o600);
      writeFileSync(pack, content);
      await bench.restic.check(bench.repository);
      const failure = await failureFrom(bench.restic.check(bench.repository, { readData: true }));
      expect(failure).toMatchObject({ reason: "RepositoryDamaged", disposition: "stall" });
    });
  });

  describe(`a run of restic ${at.version} that is cut short`, () => {
    beforeEach(() => template.copyTo(bench));

    it("shows no secret in its command line", async () => {
      const stop = new AbortController();
      const { child, ending } = await startSlowBackup({ signal: stop.signal });
      expect(child.commandLine).toContain("--host=demo-orders");
      expect(child.commandLine).not.toContain(password);
      expect(readFileSync(`/proc/${child.pid}/environ`, "utf8")).toContain(password);
      stop.abort();
      expect((await ending).message).not.toContain(password);
    });

    it("leaves no lock when it is told to stop", async () => {
      const stop = new AbortController();
      const { ending } = await startSlowBackup({ signal: stop.signal });
      stop.abort();
      expect(await ending).toMatchObject({ reason: "Interrupted", disposition: "retry", exitCode: 130 });
      expect(locks()).toEqual([]);
      expect(await bench.restic.snapshots(bench.repository)).toEqual([]);
    });

    it("leaves no lock at its deadline", async () => {
      const { ending } = await startSlowBackup({ deadlineMs: 2_500 });
      expect(await ending).toMatchObject({ reason: "ResticTimedOut", disposition: "retry" });
      expect(locks()).toEqual([]);
    });

    it("leaves no lock when only restic is killed", async () => {
      const { ending, child } = await startSlowBackup();
      process.kill(child.pid, "SIGKILL");
      expect(await ending).toMatchObject({ reason: "ResticFailed", disposition: "retry" });
      expect((await ending).message).toContain("SIGKILL");
      expect(locks()).toEqual([]);
    });
  });

  describe(`a lock of another restic ${at.version}`, () => {
    /** restic as somebody else runs it, in the middle of a backup. */
    const startHolder = async () => {
      await template.copyTo(bench);
      const large = join(bench.home, "large");
      writeFileSync(large, randomBytes(3 * 1024 * 1024));
      const environment = {
        PATH: process.env["PATH"] ?? "",
        HOME: bench.home,
        RESTIC_REPOSITORY: bench.repository.url,
        RESTIC_PASSWORD: password,
      };
      const args = ["--no-cache", "backup", "--host=somebody", large];
      const holder = spawn(slowRestic(bench), args, { env: environment, stdio: "ignore" });
      const ended = new Promise((resolve) => holder.once("exit", resolve));
      await eventually(() => (locks().length > 0 ? true : undefined));
      return { holder, ended };
    };

    it("of a dead one stops forgetting and not backups, until it is removed", async () => {
      const { holder, ended } = await startHolder();
      holder.kill("SIGKILL");
      await ended;
      expect(locks()).toHaveLength(1);
      const next = await bench.restic.backup(bench.repository, requestFor(bench));
      expect(next).toMatchObject({ partial: false, files: 1 });
      const locked = await failureFrom(bench.restic.forget(bench.repository, [next.snapshotId]));
      expect(locked).toMatchObject({ reason: "RepositoryLocked", disposition: "retry", exitCode: 11 });
      expect(locked.message).toContain(`PID ${holder.pid}`);
      expect(await bench.restic.snapshots(bench.repository)).toHaveLength(1);
      // The holder is of this machine and dead, which restic itself can see.
      await bench.restic.unlock(bench.repository);
      await bench.restic.forget(bench.repository, [next.snapshotId]);
      expect(await bench.restic.snapshots(bench.repository)).toEqual([]);
    });

    it("of a living one stays unless all are to go", async () => {
      const { holder, ended } = await startHolder();
      await bench.restic.unlock(bench.repository);
      expect(locks()).toHaveLength(1);
      await bench.restic.unlock(bench.repository, { all: true });
      expect(locks()).toEqual([]);
      holder.kill("SIGKILL");
      await ended;
    });
  });

  describe(`a source that restic ${at.version} can read in part`, () => {
    it("makes a partial snapshot that says what is missing, as the pod names it", async () => {
      await template.copyTo(bench);
      writeFileSync(join(bench.root, "data/locked"), "x", { mode: 0 });
      mkdirSync(join(bench.root, "data/closed"), { mode: 0 });
      const restic = isRoot ? bench.with({ command: asNobody(bench) }) : bench.restic;
      const made = await restic.backup(bench.repository, requestFor(bench));
      expect(made.partial).toBe(true);
      expect(made.unread.join("\n")).toMatch(/^\/data\/locked.*permission denied/m);
      expect(made.unread.join("\n")).toMatch(/^\/data\/closed.*(permission denied|could not be read)/m);
      expect(made.unread.join("\n")).not.toContain(bench.root);
      expect(await pathsIn(bench, made.snapshotId)).toContain("/data/file");
    });
  });

  describe(`restic ${at.version} itself`, () => {
    it("tells its version and that it is missing", async () => {
      expect(await bench.restic.version()).toBe(at.version);
      const missing = await failureFrom(bench.with({ command: "no-such-restic" }).version());
      expect(missing).toMatchObject({ reason: "ResticNotFound", disposition: "stall" });
      expect(missing.next).toContain("Install restic");
    });
  });
}

/** root can read everything, so restic runs as somebody who cannot. */
function asNobody(bench: Bench): string {
  const nobody = 65_534;
  chmodSync(bench.home, 0o777);
  for (const name of readdirSync(bench.repository.url, { recursive: true, encoding: "utf8" })) {
    chownSync(join(bench.repository.url, name), nobody, nobody);
  }
  chownSync(bench.repository.url, nobody, nobody);
  return bench.wrap((restic) => `setpriv --reuid=${nobody} --regid=${nobody} --clear-groups ${restic}`);
}
