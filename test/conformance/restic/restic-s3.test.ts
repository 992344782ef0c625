import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ResticRepository } from "../../../src/ports/restic/restic.ts";
import { requireOrSkip } from "../../support/real-parts.ts";
import { resticsAtHand } from "../../support/restics.ts";
import { type S3Server, startS3 } from "../../support/s3.ts";
import { describeTree } from "../../support/tree.ts";
import { type Bench, failureFrom, openBench, password, requestFor } from "./bench-of-restic.ts";

describe.runIf(requireOrSkip("versitygw"))("restic in S3", () => {
  let server: S3Server;
  beforeAll(async () => {
    server = await startS3();
    await server.createBucket("backups");
  });
  afterAll(async () => {
    await server.stop();
  });

  describe.each(resticsAtHand())("with restic $version", (at) => {
    let bench: Bench;
    let repository: ResticRepository;
    beforeEach(() => {
      bench = openBench(at);
      mkdirSync(join(bench.root, "data/empty"), { recursive: true });
      writeFileSync(join(bench.root, "data/file"), "content");
      repository = {
        url: `s3:${server.endpoint}/backups/${at.version}/demo/repository/v1/frequent/dump`,
        password,
        environment: { AWS_ACCESS_KEY_ID: server.accessKeyId, AWS_SECRET_ACCESS_KEY: server.secretAccessKey },
        maxConnections: 3,
        cacheDirectory: join(bench.home, "cache"),
      };
    });
    afterEach(() => bench.dispose());

    it("makes a repository, backs up, lists, restores, checks, measures and forgets", async () => {
      const { restic } = bench;
      const made = await Promise.all([1, 2].map(() => restic.ensureRepository(repository)));
      expect(made.filter(({ created }) => created)).toHaveLength(1);
      expect(made[1]?.id).toBe(made[0]?.id);
      const { snapshotId } = await restic.backup(repository, requestFor(bench));
      expect((await restic.snapshots(repository)).map(({ id }) => id)).toEqual([snapshotId]);
      const root = join(bench.home, "target");
      mkdirSync(root);
      const request = { snapshotId, root, path: "/data", include: [], exclude: [] };
      expect(await restic.restore(repository, request)).toEqual({ files: 1, bytes: 7 });
      expect(describeTree(join(root, "data"))).toEqual(describeTree(join(bench.root, "data")));
      await restic.check(repository, { readData: true });
      expect(await restic.size(repository)).toBeGreaterThan(7);
      await restic.forget(repository, [snapshotId]);
      expect(await restic.snapshots(repository)).toEqual([]);
      const wrong = { ...repository, password: "another-password" };
      expect((await failureFrom(restic.ensureRepository(wrong))).reason).toBe("WrongPassword");
    });

    it("stalls soon on a bucket that is not there, and does not make it", async () => {
      const lost = { ...repository, url: `s3:${server.endpoint}/no-such-bucket/x` };
      const failure = await failureFrom(bench.restic.ensureRepository(lost));
      expect(failure).toMatchObject({ reason: "BucketNotFound", disposition: "stall" });
      const again = await failureFrom(bench.restic.snapshots(lost));
      expect(again.reason).toBe("BucketNotFound");
    });

    it("stalls soon on wrong keys, shows none, and takes it for no missing repository", async () => {
      const environment = { ...repository.environment, AWS_SECRET_ACCESS_KEY: "a-wrong-secret-key" };
      const failure = await failureFrom(bench.restic.ensureRepository({ ...repository, environment }));
      expect(failure).toMatchObject({ reason: "AccessDenied", disposition: "stall" });
      expect(failure.message).not.toContain("a-wrong-secret-key");
      expect(failure.message).not.toContain(server.accessKeyId);
    });

    it("retries when nobody answers, and takes that for no missing repository", async () => {
      const away = { ...repository, url: "s3:http://127.0.0.1:1/backups/x" };
      const restic = bench.with({ deadlines: { shortMs: 4_000 } });
      const failure = await failureFrom(restic.ensureRepository(away));
      expect(failure.disposition).toBe("retry");
      expect(failure.message).toContain("connection refused");
    });
  });
});
