import { Buffer } from "node:buffer";
import { describe, expect, it } from "vitest";
import { decodedProtobuf } from "../../../src/embedded/protobuf.ts";

/** One field with a length: text, bytes or a message. */
function field(number: number, value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([(number << 3) | 2]), varint(bytes.length), bytes]);
}

function number(at: number, value: number): Buffer {
  return Buffer.concat([Buffer.from([at << 3]), varint(value)]);
}

function varint(value: number): Buffer {
  const bytes = [];
  let left = BigInt.asUintN(64, BigInt(value));
  for (; left > 127n; left >>= 7n) bytes.push(Number(left & 127n) | 128);
  bytes.push(Number(left));
  return Buffer.from(bytes);
}

function body(apiVersion: string, kind: string, ...raw: readonly Buffer[]): Buffer {
  const type = Buffer.concat([field(1, apiVersion), field(2, kind)]);
  return Buffer.concat([Buffer.from("k8s\0"), field(1, type), field(2, Buffer.concat(raw))]);
}

const metadata = (name: string) => field(1, Buffer.concat([field(1, name), field(2, ""), field(8, "")]));

describe("bodies in protobuf", () => {
  it("mean the same as in JSON, without what Go writes although nobody set it", () => {
    const data = field(2, Buffer.concat([field(1, "key"), field(2, "value")]));
    expect(decodedProtobuf(body("v1", "ConfigMap", metadata("a"), data))).toEqual({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "a" },
      data: { key: "value" },
    });
  });

  it("keep the zero of a pointer, negative numbers, and bytes as base64", () => {
    const spec = field(2, Buffer.concat([number(1, 0), number(5, 0)]));
    const deployment = decodedProtobuf(body("apps/v1", "Deployment", metadata("d"), spec));
    expect(deployment["spec"]).toEqual({ replicas: 0 });
    const job = decodedProtobuf(body("batch/v1", "Job", metadata("j"), field(2, number(1, -1))));
    expect(job["spec"]).toEqual({ parallelism: -1 });
    const secret = field(2, Buffer.concat([field(1, "k"), field(2, Buffer.from([0xff, 0x00]))]));
    expect(decodedProtobuf(body("v1", "Secret", metadata("s"), secret))["data"]).toEqual({ k: "/wA=" });
  });

  it("put inlined messages into their parents and read quantities, ports and times", () => {
    const source = field(2, field(6, field(1, "name")));
    const volume = field(1, Buffer.concat([field(1, "v"), source]));
    const pod = decodedProtobuf(body("v1", "Pod", metadata("p"), field(2, volume)));
    expect(pod["spec"]).toEqual({ volumes: [{ name: "v", secret: { secretName: "name" } }] });
    const target = field(4, Buffer.concat([number(1, 1), number(2, 0), field(3, "http")]));
    const port = field(1, Buffer.concat([number(3, 80), target]));
    const service = decodedProtobuf(body("v1", "Service", metadata("s"), field(2, port)));
    expect(service["spec"]).toEqual({ ports: [{ port: 80, targetPort: "http" }] });
  });

  it.each([
    ["another format", Buffer.from('{"kind":"x"}'), 400],
    ["a body that ends too early", body("v1", "ConfigMap", metadata("a")).subarray(0, -3), 400],
    ["a kind without fields", body("example.com/v1", "Thing", metadata("a")), 415],
  ])("are refused: %s", (_, bytes, code) => {
    expect(() => decodedProtobuf(bytes)).toThrow(expect.objectContaining({ code }));
  });

  it("never make the server fail otherwise", () => {
    const time = field(1, Buffer.concat([field(1, "a"), field(8, number(1, 2 ** 60))]));
    const good = body("v1", "ConfigMap", time, field(2, Buffer.concat([field(1, "k"), field(2, "v")])));
    const failures = new Set<string>();
    for (let at = 4; at < good.length; at++) {
      for (const value of [0, 127, 128, 255]) {
        const bent = Buffer.from(good);
        bent[at] = value;
        failures.add(failureOf(bent));
      }
    }
    // Many bent bodies still mean something.
    expect([...failures].sort()).toEqual(["Failure", "none"]);
  });
});

function failureOf(bytes: Buffer): string {
  try {
    decodedProtobuf(bytes);
    return "none";
  } catch (error) {
    return error instanceof Error ? error.name : "strange";
  }
}
