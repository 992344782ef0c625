import { Agent } from "node:https";
import { Readable } from "node:stream";
import type * as Sdk from "@aws-sdk/client-s3";
import { HoldfastError } from "../../base/errors.ts";
import { createRedactor } from "../../base/redact.ts";
import { checkKey, checkPrefix, folderPrefix, tooLarge } from "./key.ts";
import type { Objects, ObjectsLocation } from "./objects.ts";
import { nameOf, statusOf, storeFailure } from "./s3-failure.ts";

type S3Location = Extract<ObjectsLocation, { provider: "s3" }>;
type Connection = { readonly sdk: typeof Sdk; readonly client: Sdk.S3Client };

const defaultMaxBytes = 1024 * 1024;
const defaultRegion = "us-east-1";
const connectionTimeoutMs = 10_000;
const requestTimeoutMs = 30_000;
/** Of one call with all its attempts. */
const deadlineMs = 120_000;
const deletesAtOnce = 8;

/** Objects in a bucket of S3 or of what speaks its protocol; path style. */
export function createS3Objects(location: S3Location): Objects {
  const where = whereOf(location);
  const connect = connector(location);
  const { bucket: Bucket } = location;
  const full = (key: string) => (location.prefix === "" ? key : `${location.prefix}/${key}`);
  const { accessKeyId, secretAccessKey } = location.credentials;
  const redact = createRedactor([accessKeyId ?? "", secretAccessKey ?? ""]);
  const call = async <T>(
    what: string,
    run: (connection: Connection, abortSignal: AbortSignal) => Promise<T>,
  ) => {
    try {
      return await run(await connect(), AbortSignal.timeout(deadlineMs));
    } catch (thrown) {
      throw storeFailure(thrown, { what, where, redact });
    }
  };
  const remove = (Key: string) =>
    call(`delete ${Key}`, ({ sdk, client }, abortSignal) =>
      client.send(new sdk.DeleteObjectCommand({ Bucket, Key }), { abortSignal }),
    );
  const pages = pagesOf(call, Bucket);
  return {
    where,
    async get(key, options = {}) {
      const Key = full(checkKey(key));
      const maxBytes = options.maxBytes ?? defaultMaxBytes;
      return call(`read ${key}`, async ({ sdk, client }, abortSignal) => {
        const answer = await client
          .send(new sdk.GetObjectCommand({ Bucket, Key }), { abortSignal })
          .catch((thrown: unknown) => {
            if (isAbsent(thrown)) return undefined;
            throw thrown;
          });
        if (answer === undefined) return undefined;
        return readBody(answer.Body, () => tooLarge(key, where, maxBytes), maxBytes);
      });
    },
    async put(key, content, options = {}) {
      const Key = full(checkKey(key));
      const ContentType = options.contentType ?? "application/octet-stream";
      await call(`write ${key}`, ({ sdk, client }, abortSignal) =>
        client.send(new sdk.PutObjectCommand({ Bucket, Key, Body: content, ContentType }), { abortSignal }),
      );
    },
    async *list(prefix) {
      const start = location.prefix === "" ? 0 : location.prefix.length + 1;
      for await (const page of pages(full(checkPrefix(prefix)))) {
        for (const { Key, Size, LastModified } of page) {
          // A key that ends with `/` stands for a folder in some consoles and holds nothing.
          if (!Key.endsWith("/")) yield { key: Key.slice(start), sizeBytes: Size, modifiedMs: LastModified };
        }
      }
    },
    async delete(key) {
      await remove(full(checkKey(key)));
    },
    async deleteAll(prefix) {
      let count = 0;
      for await (const page of pages(full(folderPrefix(prefix)))) {
        // One request per key: DeleteObjects needs checksums that some servers refuse.
        for (let at = 0; at < page.length; at += deletesAtOnce) {
          await Promise.all(page.slice(at, at + deletesAtOnce).map(({ Key }) => remove(Key)));
        }
        count += page.filter(({ Key }) => !Key.endsWith("/")).length;
      }
      return count;
    },
  };
}

type Listed = { readonly Key: string; readonly Size: number; readonly LastModified: number };
type Call = <T>(
  what: string,
  run: (connection: Connection, abortSignal: AbortSignal) => Promise<T>,
) => Promise<T>;

function pagesOf(call: Call, Bucket: string) {
  return async function* (Prefix: string): AsyncGenerator<readonly Listed[], void, void> {
    let ContinuationToken: string | undefined;
    do {
      const page = await call(`list ${Prefix}`, ({ sdk, client }, abortSignal) =>
        client.send(
          new sdk.ListObjectsV2Command({
            Bucket,
            Prefix,
            ...(ContinuationToken === undefined ? {} : { ContinuationToken }),
          }),
          { abortSignal },
        ),
      );
      yield (page.Contents ?? []).flatMap(({ Key, Size, LastModified }) =>
        Key === undefined
          ? []
          : [{ Key, Size: Size ?? 0, LastModified: LastModified?.getTime() ?? Number.POSITIVE_INFINITY }],
      );
      ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (ContinuationToken !== undefined);
  };
}

/** The SDK is imported when a store is first used: it takes 0.1 s and 20 MB. */
function connector(location: S3Location): () => Promise<Connection> {
  let connection: Promise<Connection> | undefined;
  const connect = async (): Promise<Connection> => {
    const sdk = await import("@aws-sdk/client-s3");
    const { accessKeyId, secretAccessKey, caCertificate } = location.credentials;
    const client = new sdk.S3Client({
      region: location.region || defaultRegion,
      forcePathStyle: true,
      // Since 3.729 the SDK adds CRC32 by itself, which R2, B2, GCS and older MinIO refuse.
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
      maxAttempts: 3,
      ...(location.endpoint === "" ? {} : { endpoint: location.endpoint }),
      // Without keys the SDK looks for the environment's own identity.
      ...(accessKeyId && secretAccessKey ? { credentials: { accessKeyId, secretAccessKey } } : {}),
      requestHandler: {
        connectionTimeout: connectionTimeoutMs,
        requestTimeout: requestTimeoutMs,
        throwOnRequestTimeout: true,
        httpsAgent: new Agent({
          keepAlive: true,
          rejectUnauthorized: !location.insecureTLS,
          ...(caCertificate ? { ca: caCertificate } : {}),
        }),
      },
    });
    return { sdk, client };
  };
  return () => {
    connection ??= connect();
    return connection;
  };
}

async function readBody(body: unknown, refusal: () => Error, maxBytes: number): Promise<Uint8Array> {
  if (!(body instanceof Readable)) return new Uint8Array();
  const chunks: Buffer[] = [];
  let size = 0;
  // Leaving the loop destroys the stream, so no more is read than is kept.
  for await (const chunk of body) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > maxBytes) throw refusal();
    chunks.push(bytes);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

function isAbsent(thrown: unknown): boolean {
  const name = nameOf(thrown);
  return name === "NoSuchKey" || (name === "NotFound" && statusOf(thrown) === 404);
}

function whereOf(location: S3Location): string {
  const path = [location.bucket, location.prefix].filter((part) => part !== "").join("/");
  if (location.endpoint === "") return `s3://${path}`;
  return `s3:${location.endpoint.replace(/\/\/[^/@]*@/, "//").replace(/\/+$/, "")}/${path}`;
}

export function refuseHalfCredentials(location: S3Location): void {
  const { accessKeyId, secretAccessKey } = location.credentials;
  if (Boolean(accessKeyId) === Boolean(secretAccessKey)) return;
  const missing = accessKeyId ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID";
  throw new HoldfastError("AccessDenied", `the storage Secret of ${whereOf(location)} has no ${missing}`, {
    disposition: "stall",
    next: `Add ${missing} to the storage Secret, or take out its counterpart to use the pod's own identity.`,
  });
}
