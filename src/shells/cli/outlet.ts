/** Text that goes out in large pieces, no faster than the reader takes it. */
export type Outlet = {
  write(text: string): Promise<void>;
  flush(): Promise<void>;
  /** Whether the reader has gone, as head does. */
  closed(): boolean;
};

const pieceLength = 64 * 1024;

export function outlet(stream: NodeJS.WritableStream & { readonly destroyed?: boolean }): Outlet {
  let waiting = "";
  const closed = () => stream.destroyed === true || !stream.writable;
  const flush = async () => {
    const piece = waiting;
    waiting = "";
    // The callback comes for a reader that has gone, too.
    if (piece !== "" && !closed()) await new Promise<void>((resolve) => stream.write(piece, () => resolve()));
  };
  return {
    closed,
    flush,
    async write(text) {
      waiting += text;
      if (waiting.length >= pieceLength) await flush();
    },
  };
}
