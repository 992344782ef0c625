import { Buffer } from "node:buffer";
import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The server's identity: a self-signed certificate for 127.0.0.1, ::1 and localhost, made once per state
 * folder. kubectl sends tokens over TLS only, hence TLS on the loopback interface too.
 */
export type Identity = { readonly certificate: string; readonly key: string };

/** No clock of a client has to agree with ours, and nobody renews this: RFC 5280 writes "for ever" so. */
const validFrom = "20200101000000Z";
const validUntil = "99991231235959Z";

/** Reads or makes the identity of a state folder; both parts are in one file, mode 0600. */
export function identityOf(directory: string): Identity {
  const path = join(directory, "tls.pem");
  if (!existsSync(path)) {
    const { certificate, key } = selfSigned();
    writeFileSync(`${path}.next`, `${key}${certificate}`, { mode: 0o600, flush: true });
    renameSync(`${path}.next`, path);
  }
  const text = readFileSync(path, "utf8");
  const start = text.indexOf("-----BEGIN CERTIFICATE-----");
  return { key: text.slice(0, start), certificate: text.slice(start) };
}

function selfSigned(): Identity {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const keyInfo = publicKey.export({ type: "spki", format: "der" });
  const algorithm = sequence(oid("1.2.840.10045.4.3.2"));
  const name = sequence(set(sequence(oid("2.5.4.3"), der(0x0c, Buffer.from("holdfast-embedded")))));
  const serial = Buffer.concat([Buffer.from([0x01]), randomBytes(15)]);
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(serial),
    algorithm,
    name,
    sequence(der(0x17, Buffer.from(validFrom.slice(2))), der(0x18, Buffer.from(validUntil))),
    name,
    keyInfo,
    der(0xa3, sequence(...extensions(keyInfo))),
  );
  const signature = sign("sha256", body, privateKey);
  const certificate = sequence(body, algorithm, bits(signature));
  const lines = certificate.toString("base64").replaceAll(/.{64}(?=.)/g, "$&\n");
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: String(privateKey.export({ type: "pkcs8", format: "pem" })),
  };
}

/** RFC 5280, 4.2: basic constraints, key usage, extended key usage, names, and the key's identifier. */
function extensions(keyInfo: Buffer): readonly Buffer[] {
  const critical = der(0x01, Buffer.from([0xff]));
  const octets = (content: Buffer) => der(0x04, content);
  const names = sequence(
    der(0x82, Buffer.from("localhost")),
    der(0x87, Buffer.from([127, 0, 0, 1])),
    der(0x87, Buffer.concat([Buffer.alloc(15), Buffer.from([1])])),
  );
  const identifier = createHash("sha256").update(keyInfo).digest().subarray(0, 20);
  return [
    sequence(oid("2.5.29.19"), critical, octets(sequence(der(0x01, Buffer.from([0xff]))))),
    // digitalSignature and keyCertSign
    sequence(oid("2.5.29.15"), critical, octets(der(0x03, Buffer.from([0x02, 0x84])))),
    sequence(oid("2.5.29.37"), octets(sequence(oid("1.3.6.1.5.5.7.3.1")))),
    sequence(oid("2.5.29.17"), octets(names)),
    sequence(oid("2.5.29.14"), octets(octets(identifier))),
  ];
}

/** One element in the distinguished encoding (ITU-T X.690). */
function der(tag: number, content: Buffer): Buffer {
  const length = content.length;
  const head =
    length < 128
      ? [tag, length]
      : length < 256
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function set(...parts: readonly Buffer[]): Buffer {
  return der(0x31, Buffer.concat(parts));
}

function integer(bytes: Buffer): Buffer {
  return der(0x02, bytes);
}

function bits(bytes: Buffer): Buffer {
  return der(0x03, Buffer.concat([Buffer.from([0]), bytes]));
}

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const groups = [part & 0x7f];
    for (let left = part >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return der(0x06, Buffer.from(bytes));
}
