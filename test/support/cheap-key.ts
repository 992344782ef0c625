import { createCipheriv, createDecipheriv, createHash, randomBytes, scryptSync } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Makes the one key of a restic repository, a folder, cheap to open: the same master key below the same password,
 * derived without the work that is to slow guessing down, which is most of what a short call of restic does. The
 * format is the one of "Keys, Encryption and MAC" in restic's design document. Of several keys all stay as they are.
 */
export function makeKeyCheap(repository: string, password: string): void {
  const keys = join(repository, "keys");
  const [name, ...others] = readdirSync(keys);
  if (name === undefined) throw new Error(`${keys} holds no key`);
  if (others.length > 0) return;
  const key = JSON.parse(readFileSync(join(keys, name), "utf8"));
  const master = opened(Buffer.from(key.data, "base64"), userKey(password, key));
  const cheap = { N: 2, r: 1, p: 1, salt: key.salt };
  const data = sealed(master, userKey(password, cheap)).toString("base64");
  const text = JSON.stringify({ ...key, ...cheap, data });
  writeFileSync(join(keys, createHash("sha256").update(text).digest("hex")), text);
  rmSync(join(keys, name));
}

type Derivation = { readonly N: number; readonly r: number; readonly p: number; readonly salt: string };
type UserKey = { readonly encrypt: Buffer; readonly macKey: Buffer; readonly macPoint: Buffer };

function userKey(password: string, { N, r, p, salt }: Derivation): UserKey {
  const bytes = scryptSync(password, Buffer.from(salt, "base64"), 64, {
    N,
    r,
    p,
    maxmem: 256 * N * r + 2 ** 20,
  });
  return { encrypt: bytes.subarray(0, 32), macKey: bytes.subarray(32, 48), macPoint: bytes.subarray(48) };
}

function opened(data: Buffer, key: UserKey): Buffer {
  const iv = data.subarray(0, 16);
  const text = data.subarray(16, -16);
  if (!mac(text, iv, key).equals(data.subarray(-16))) throw new Error("the password does not open the key");
  return createDecipheriv("aes-256-ctr", key.encrypt, iv).update(text);
}

function sealed(text: Buffer, key: UserKey): Buffer {
  const iv = randomBytes(16);
  const data = createCipheriv("aes-256-ctr", key.encrypt, iv).update(text);
  return Buffer.concat([iv, data, mac(data, iv, key)]);
}

/** Poly1305-AES. */
function mac(text: Buffer, iv: Buffer, { macKey, macPoint }: UserKey): Buffer {
  const pad = createCipheriv("aes-128-ecb", macKey, null).setAutoPadding(false).update(iv);
  const point = number(macPoint) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
  let sum = 0n;
  for (let from = 0; from < text.length; from += 16) {
    const block = text.subarray(from, from + 16);
    sum = ((sum + number(block) + (1n << BigInt(8 * block.length))) * point) % ((1n << 130n) - 5n);
  }
  const tag = (sum + number(pad)).toString(16).padStart(32, "0").slice(-32);
  return Buffer.from(tag, "hex").reverse();
}

/** Least significant byte first. */
function number(bytes: Buffer): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
}
