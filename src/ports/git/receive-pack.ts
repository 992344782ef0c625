import { brokenReply, unreachable, wordsOf } from "./git-errors.ts";
import { zeroOid } from "./git-object.ts";
import { demultiplex, flushPacket, lineOf, packet, packets } from "./pkt-line.ts";
import type { Oid } from "./remote.ts";
import type { Transport } from "./transport.ts";

export type RefUpdate = {
  readonly ref: string;
  /** The server refuses when the ref is at another commit: the compare-and-swap. */
  readonly from: Oid | undefined;
  readonly to: Oid;
  readonly pack: Buffer;
};

export type UpdateReport =
  | { readonly kind: "accepted" }
  /** `reason` is the server's for this ref, `words` whatever its hooks said besides. */
  | { readonly kind: "refused"; readonly reason: string; readonly words: string };

const maxReplyBytes = 4 * 2 ** 20;

/** One command and one pack to receive-pack (gitprotocol-pack, "Pushing data"), answered by its report-status. */
export async function updateRef(
  transport: Transport,
  { ref, from, to, pack }: RefUpdate,
  signal: AbortSignal | undefined,
): Promise<UpdateReport> {
  const command = `${from ?? zeroOid} ${to} ${ref}\0 report-status side-band-64k object-format=sha1 agent=holdfast`;
  const body = Buffer.concat([packet(command), flushPacket, pack]);
  const reply = await transport.exchange({ service: "receive-pack", body, maxReplyBytes, signal });
  for (const each of packets(reply)) {
    if (each.kind !== "data") break;
    const line = lineOf(each.data);
    if (line.startsWith("ERR ")) return { kind: "refused", reason: wordsOf(line.slice(4)), words: "" };
    break;
  }
  const { data, words, fatal } = demultiplex(reply, 0);
  if (fatal !== undefined)
    throw unreachable(transport.where, `broke off the push: ${wordsOf(`${fatal}\n${words}`)}`);
  return readReport(data, { ref, words });
}

function readReport(report: Buffer, { ref, words }: { ref: string; words: string }): UpdateReport {
  let unpacked: string | undefined;
  for (const each of packets(report)) {
    if (each.kind !== "data") continue;
    const line = lineOf(each.data);
    if (line.startsWith("unpack ")) unpacked = line.slice(7);
    else if (line === `ok ${ref}`) {
      if (unpacked === "ok") return { kind: "accepted" };
    } else if (line.startsWith(`ng ${ref} `)) {
      const reason = line.slice(ref.length + 4);
      const whole = unpacked === "ok" ? reason : `${reason} (unpack: ${unpacked})`;
      return { kind: "refused", reason: wordsOf(whole), words: wordsOf(words) };
    }
  }
  if (unpacked !== undefined && unpacked !== "ok")
    return { kind: "refused", reason: wordsOf(unpacked), words: wordsOf(words) };
  throw brokenReply(`it does not report on ${ref}`);
}
