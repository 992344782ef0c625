import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { freePort } from "./free-port.ts";
import { pathOf } from "./real-parts.ts";
import { startReaper } from "./reaper.ts";

export type S3Server = {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Objects are files below it: `<directory>/<bucket>/<key>`. */
  readonly directory: string;
  createBucket(name: string): Promise<void>;
  stop(): Promise<void>;
};

/** A real S3 server (versitygw over a directory of its own) on a free port of 127.0.0.1. */
export async function startS3(): Promise<S3Server> {
  const home = mkdtempSync(join(tmpdir(), "holdfast-s3-"));
  const directory = join(home, "objects");
  const accounts = join(home, "accounts");
  for (const path of [directory, accounts]) mkdirSync(path);
  const accessKeyId = randomBytes(10).toString("hex");
  const secretAccessKey = randomBytes(20).toString("hex");
  const region = "us-east-1";
  const port = await freePort();
  const reaper = startReaper();
  reaper.watchDirectory(home);
  const server = spawn(
    pathOf("versitygw"),
    [
      `--port=127.0.0.1:${port}`,
      `--region=${region}`,
      `--iam-dir=${accounts}`,
      "--keep-alive",
      "--quiet",
      "posix",
      directory,
    ],
    {
      env: {
        PATH: process.env["PATH"] ?? "",
        ROOT_ACCESS_KEY: accessKeyId,
        ROOT_SECRET_KEY: secretAccessKey,
      },
      stdio: "ignore",
    },
  );
  reaper.watchProcess(server);
  const endpoint = `http://127.0.0.1:${port}`;
  await answering(endpoint, () => server.exitCode);
  const client = new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  return {
    endpoint,
    region,
    accessKeyId,
    secretAccessKey,
    directory,
    async createBucket(name) {
      await client.send(new CreateBucketCommand({ Bucket: name }));
    },
    async stop() {
      client.destroy();
      await reaper.close();
    },
  };
}

async function answering(endpoint: string, exitCode: () => number | null): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (exitCode() !== null) throw new Error(`versitygw ended with exit code ${exitCode()}`);
    // Without a signature the answer is 403, which is an answer.
    const answered = await fetch(endpoint).then(
      async (response) => {
        await response.arrayBuffer();
        return true;
      },
      () => false,
    );
    if (answered) return;
    await sleep(50);
  }
  throw new Error(`versitygw does not answer at ${endpoint}`);
}
