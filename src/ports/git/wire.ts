import { brokenReply, objectMissing, unreachable, unsupported, wordsOf } from "./git-errors.ts";
import { isOid } from "./git-object.ts";
import { delimiterPacket, demultiplex, flushPacket, lineOf, packet, packets } from "./pkt-line.ts";
import type { Oid } from "./remote.ts";
import type { Transport } from "./transport.ts";

export type FetchRequest = {
  readonly wants: readonly Oid[];
  /** Left out of the pack: everything but commits, or everything but commits and trees. Wanted ids always come. */
  readonly filter?: "tree:0" | "blob:none";
  /** Commits deep. */
  readonly deepen?: number;
  /** A commit that is here, so that what it reaches is not sent. */
  readonly have?: Oid;
  readonly maxReplyBytes: number;
  readonly signal: AbortSignal | undefined;
};

export type FetchReply =
  | { readonly kind: "pack"; readonly pack: Buffer }
  /** The server does not have, or does not give, an object that was wanted. */
  | { readonly kind: "refused"; readonly words: string };

export type NewsRequest = Omit<FetchRequest, "wants" | "deepen"> & { readonly want: Oid; readonly have: Oid };

export type NewsReply =
  /** What `want` reaches and `have` does not. */
  | FetchReply
  /** The server sees no way from `want` to `have`, a commit that it knows or does not. */
  | { readonly kind: "unrelated"; readonly isKnown: boolean };

const agent = "agent=holdfast";

/** Protocol v2 as far as Holdfast speaks it (gitprotocol-v2): capabilities, `ls-refs` of one prefix, `fetch`. */
export class Wire {
  readonly transport: Transport;
  #offersFilter: boolean | undefined;

  constructor(transport: Transport) {
    this.transport = transport;
  }

  /** Whether `fetch` takes a filter; a remote that is of no use to us is refused here, by name. */
  async offersFilter(signal: AbortSignal | undefined): Promise<boolean> {
    this.#offersFilter ??= this.#examine(await this.transport.capabilities(signal));
    return this.#offersFilter;
  }

  #examine(capabilities: readonly string[]): boolean {
    const values = new Map(capabilities.map((line) => splitAt(line, "=")));
    const format = values.get("object-format") ?? "sha1";
    if (format !== "sha1") {
      throw unsupported(
        this.transport.where,
        `uses object format ${format}`,
        "Use a repository with SHA-1 object ids.",
      );
    }
    const fetch = values.get("fetch");
    if (fetch === undefined || !values.has("ls-refs")) {
      throw unsupported(
        this.transport.where,
        "does not offer fetch and ls-refs",
        "Use a server that speaks Git protocol version 2.",
      );
    }
    return fetch.split(" ").includes("filter");
  }

  async tip(ref: string, signal: AbortSignal | undefined): Promise<Oid | undefined> {
    return (await this.refs(ref, signal)).get(ref);
  }

  /** Every ref whose name begins so. */
  async refs(prefix: string, signal: AbortSignal | undefined): Promise<ReadonlyMap<string, Oid>> {
    const body = request("ls-refs", [`ref-prefix ${prefix}`]);
    const reply = await this.transport.exchange({
      service: "upload-pack",
      body,
      maxReplyBytes: 4 * 2 ** 20,
      signal,
    });
    const found = new Map<string, Oid>();
    for (const each of packets(reply)) {
      if (each.kind === "flush") return found;
      if (each.kind !== "data") continue;
      const line = lineOf(each.data);
      if (line.startsWith("ERR "))
        throw unreachable(this.transport.where, `refused to list its refs: ${wordsOf(line.slice(4))}`);
      const [oid = "", name = ""] = line.split(" ");
      // A server may list more than it was asked for.
      if (name.startsWith(prefix) && isOid(oid)) found.set(name, oid);
    }
    throw brokenReply("the list of refs ends early");
  }

  async fetch({ maxReplyBytes, signal, ...asked }: FetchRequest): Promise<FetchReply> {
    const body = request("fetch", [...linesOf(asked), "done"]);
    const reply = await this.transport.exchange({ service: "upload-pack", body, maxReplyBytes, signal });
    const news = this.#readReply(reply, asked.wants);
    if (news.kind === "unrelated") throw brokenReply("it holds no pack");
    return news;
  }

  /** Says what is wanted and had, and leaves it to the server whether that is enough to send a pack. */
  async fetchNews({ want, maxReplyBytes, signal, ...asked }: NewsRequest): Promise<NewsReply> {
    const wants = [want];
    const body = request("fetch", linesOf({ ...asked, wants }));
    const reply = await this.transport.exchange({ service: "upload-pack", body, maxReplyBytes, signal });
    return this.#readReply(reply, wants);
  }

  #readReply(reply: Buffer, wants: readonly Oid[]): NewsReply {
    let answered = false;
    let isKnown = false;
    for (const each of packets(reply)) {
      if (each.kind === "flush" && answered) return { kind: "unrelated", isKnown };
      if (each.kind !== "data") continue;
      const line = lineOf(each.data);
      if (line.startsWith("ERR ")) return this.#refusal(line.slice(4), wants);
      if (line === "acknowledgments") answered = true;
      if (line.startsWith("ACK ")) isKnown = true;
      if (line !== "packfile") continue;
      const { data, fatal } = demultiplex(reply, each.end);
      if (fatal !== undefined) return this.#refusal(fatal, wants);
      return { kind: "pack", pack: data };
    }
    throw brokenReply("it holds no pack");
  }

  #refusal(words: string, wants: readonly Oid[]): FetchReply {
    const said = wordsOf(words);
    if (/not our ref|not reachable|unadvertised|filter/i.test(said)) return { kind: "refused", words: said };
    if (/missing|bad object|could not parse|unable to (parse|read)|not found|corruption/i.test(said)) {
      throw objectMissing(this.transport.where, wants[0] ?? "(none)", said);
    }
    throw unreachable(this.transport.where, `refused to send objects: ${said}`);
  }
}

function linesOf({
  wants,
  filter,
  deepen,
  have,
}: Pick<FetchRequest, "wants" | "filter" | "deepen" | "have">): readonly string[] {
  return [
    "no-progress",
    "ofs-delta",
    ...(filter ? [`filter ${filter}`] : []),
    ...(deepen ? [`deepen ${deepen}`] : []),
    ...wants.map((oid) => `want ${oid}`),
    ...(have ? [`have ${have}`] : []),
  ];
}

function request(command: string, args: readonly string[]): Buffer {
  return Buffer.concat([
    packet(`command=${command}\n`),
    packet(`${agent}\n`),
    packet("object-format=sha1\n"),
    delimiterPacket,
    ...args.map((line) => packet(`${line}\n`)),
    flushPacket,
  ]);
}

function splitAt(line: string, separator: string): [string, string] {
  const at = line.indexOf(separator);
  return at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
}
