import { decodeTime, encodeTime } from "ulid";
import { digestOf } from "../base/digest.ts";

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** A ULID that follows from what it names: the same for the same seed and time, so that making it twice is once. */
export function ulidOf(seed: string, atMs: number): string {
  const random = [...Buffer.from(digestOf(seed), "hex").subarray(0, 16)].map((byte) => alphabet[byte % 32]);
  return `${encodeTime(atMs, 10)}${random.join("")}`;
}

/** Milliseconds since the epoch that a ULID carries; undefined for other text. */
export function ulidTime(id: string): number | undefined {
  return /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(id) ? decodeTime(id) : undefined;
}
