export type Service = "upload-pack" | "receive-pack";

export type Exchange = {
  readonly service: Service;
  readonly body: Buffer;
  /** A reply above it is broken off. */
  readonly maxReplyBytes: number;
  readonly signal: AbortSignal | undefined;
};

/**
 * One request and its whole reply, whatever carries it. Upload-pack speaks protocol v2.
 * Nothing is kept between exchanges at the other end.
 */
export interface Transport {
  /** For people; without credentials. */
  readonly where: string;
  /** The lines of upload-pack's v2 capability advertisement; asked for once. */
  capabilities(signal: AbortSignal | undefined): Promise<readonly string[]>;
  /** The reply's packets, without the advertisement that comes before it on some transports. */
  exchange(exchange: Exchange): Promise<Buffer>;
}

export type Deadlines = {
  /** Longest time to connect: TCP, TLS and a proxy's tunnel, or ssh's handshake. */
  readonly connectMs: number;
  /** Longest silence of the other end. */
  readonly idleMs: number;
  /** Longest exchange altogether. */
  readonly totalMs: number;
};
