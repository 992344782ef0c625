import { brokenReply } from "./git-errors.ts";

/** One packet of Git's wire format (gitprotocol-common, "pkt-line"). */
export type Packet =
  | { readonly kind: "data"; readonly data: Buffer }
  | { readonly kind: "flush" | "delimiter" | "end" };

export const flushPacket: Buffer = Buffer.from("0000");
export const delimiterPacket: Buffer = Buffer.from("0001");

const longestPacket = 65_520;

export function packet(line: string): Buffer {
  const data = Buffer.from(line, "utf8");
  if (data.length + 4 > longestPacket) throw brokenReply(`a packet of ${data.length} bytes was to be sent`);
  return Buffer.concat([Buffer.from((data.length + 4).toString(16).padStart(4, "0")), data]);
}

/** The packets of a reply with the offset behind each; a reply that ends inside a packet is an error. */
export function* packets(reply: Buffer, from = 0): Generator<Packet & { readonly end: number }> {
  let at = from;
  while (at < reply.length) {
    const head = reply.toString("latin1", at, at + 4);
    if (!/^[0-9a-f]{4}$/i.test(head)) throw brokenReply("it is not in Git's packet format or ends early");
    const length = Number.parseInt(head, 16);
    if (length === 0) yield { kind: "flush", end: at + 4 };
    else if (length === 1) yield { kind: "delimiter", end: at + 4 };
    else if (length === 2) yield { kind: "end", end: at + 4 };
    else if (length < 4 || at + length > reply.length) throw brokenReply("it ends inside a packet");
    else yield { kind: "data", data: reply.subarray(at + 4, at + length), end: at + length };
    at += Math.max(length, 4);
  }
}

/** A text packet without its line end. */
export function lineOf(data: Buffer): string {
  return data.toString("utf8").replace(/\n$/, "");
}

export type Demultiplexed = {
  readonly data: Buffer;
  readonly words: string;
  readonly fatal: string | undefined;
};

/**
 * Side-band packets taken apart: band 1 is the payload, 2 what the server says to people, 3 a fatal error.
 * Stops at the flush packet; one that is missing means that the reply was cut.
 */
export function demultiplex(reply: Buffer, from: number): Demultiplexed {
  const payload: Buffer[] = [];
  const words: Buffer[] = [];
  for (const each of packets(reply, from)) {
    if (each.kind === "flush") {
      return { data: Buffer.concat(payload), words: Buffer.concat(words).toString("utf8"), fatal: undefined };
    }
    if (each.kind !== "data" || each.data.length === 0) continue;
    const rest = each.data.subarray(1);
    if (each.data[0] === 1) payload.push(rest);
    else if (each.data[0] === 2) words.push(rest);
    else if (each.data[0] === 3) {
      return {
        data: Buffer.concat(payload),
        words: Buffer.concat(words).toString("utf8"),
        fatal: lineOf(rest),
      };
    } else throw brokenReply(`side band ${each.data[0]} does not exist`);
  }
  throw brokenReply("it ends before its last packet");
}
