import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HoldfastError } from "../../../src/base/errors.ts";
import type { ObjectsLocation } from "../../../src/ports/objects/objects.ts";
import { openObjects } from "../../../src/ports/objects/open-objects.ts";
import { freePort } from "../../support/free-port.ts";
import { requireOrSkip } from "../../support/real-parts.ts";
import { type S3Server, startS3 } from "../../support/s3.ts";
import { bytes, keysOf, objectsConformance, reasonOf } from "./objects-suite.ts";

type S3Location = Extract<ObjectsLocation, { provider: "s3" }>;

describe.runIf(requireOrSkip("versitygw"))("S3", () => {
  let server: S3Server;
  beforeAll(async () => {
    server = await startS3();
    await server.createBucket("backups");
  });
  afterAll(async () => {
    await server.stop();
  });

  const locate = (changes: Partial<S3Location> = {}): S3Location => ({
    provider: "s3",
    endpoint: server.endpoint,
    bucket: "backups",
    prefix: "",
    region: "",
    insecureTLS: false,
    credentials: { accessKeyId: server.accessKeyId, secretAccessKey: server.secretAccessKey },
    ...changes,
  });

  objectsConformance("S3 below a prefix", async () => ({
    objects: openObjects(locate({ prefix: "team/a" })),
    neighbour: openObjects(locate({ prefix: "team/a-not" })),
  }));

  objectsConformance("a whole bucket of S3", async () => {
    await server.createBucket("whole");
    return {
      objects: openObjects(locate({ bucket: "whole" })),
      neighbour: openObjects(locate({ prefix: "beside" })),
    };
  });

  it("names the bucket that is not there", async () => {
    const objects = openObjects(locate({ bucket: "absent" }));
    expect(await reasonOf(objects.get("a"))).toBe("stall BucketNotFound");
    expect(await reasonOf(objects.put("a", bytes("x")))).toBe("stall BucketNotFound");
    expect(await reasonOf(keysOf(objects, ""))).toBe("stall BucketNotFound");
  });

  it("stalls on wrong keys without showing them", async () => {
    const credentials = { accessKeyId: server.accessKeyId, secretAccessKey: "a-wrong-secret-key" };
    const thrown = await openObjects(locate({ credentials }))
      .get("a")
      .catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(HoldfastError);
    expect(thrown).toMatchObject({ reason: "AccessDenied", disposition: "stall" });
    expect(String(thrown)).not.toContain("a-wrong-secret-key");
    expect(String(thrown)).not.toContain(server.accessKeyId);
  });

  it("refuses half of the credentials before anything is sent", () => {
    expect(() => openObjects(locate({ credentials: { accessKeyId: "only" } }))).toThrow(
      /has no AWS_SECRET_ACCESS_KEY/,
    );
  });

  it("says where it keeps objects without a credential", () => {
    const objects = openObjects(locate({ prefix: "team/a", endpoint: "https://user:pw@store.example/" }));
    expect(objects.where).toBe("s3:https://store.example/backups/team/a");
  });
});

describe("S3 that misbehaves", () => {
  const location = (port: number): S3Location => ({
    provider: "s3",
    endpoint: `http://127.0.0.1:${port}`,
    bucket: "backups",
    prefix: "",
    region: "",
    insecureTLS: false,
    credentials: { accessKeyId: "key-of-the-test", secretAccessKey: "secret-of-the-test" },
  });

  async function serving(answer: Parameters<typeof createServer>[1], use: (port: number) => Promise<void>) {
    const server: Server = createServer(answer ?? (() => undefined));
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    try {
      await use(port);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  it("is tried again later when nobody listens", async () => {
    expect(await reasonOf(openObjects(location(await freePort())).get("a"))).toBe("retry StoreUnavailable");
  });

  it("is tried again later when it answers 503", async () => {
    let requests = 0;
    await serving(
      (_request, response) => {
        requests += 1;
        response.writeHead(503).end();
      },
      async (port) => {
        expect(await reasonOf(openObjects(location(port)).get("a"))).toBe("retry StoreUnavailable");
      },
    );
    expect(requests).toBeGreaterThan(1);
  });

  it("is not read beyond the limit when its body has no end", async () => {
    await serving(
      (_request, response) => {
        response.writeHead(200, { "content-type": "text/plain" });
        const write = () => {
          while (response.write(Buffer.alloc(64 * 1024))) if (response.destroyed) return;
          response.once("drain", write);
        };
        write();
      },
      async (port) => {
        expect(await reasonOf(openObjects(location(port)).get("a"))).toBe("stall ObjectTooLarge");
      },
    );
  });

  it("gets no checksum header that it did not ask for", async () => {
    const names: string[] = [];
    await serving(
      (request, response) => {
        names.push(...Object.keys(request.headers));
        request.resume().once("end", () => response.writeHead(200).end());
      },
      async (port) => {
        await openObjects(location(port)).put("a", bytes("x"));
        await openObjects(location(port)).delete("a");
      },
    );
    expect(names.filter((name) => /checksum|x-amz-trailer/.test(name))).toEqual([]);
  });
});
