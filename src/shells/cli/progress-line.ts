import { formatSize } from "../../api/size.ts";
import type { Progress } from "../../ports/restic/restic.ts";

export type ProgressStream = {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
};

/** Progress on one line of a terminal's stderr; nothing at all elsewhere. */
export function progressLine(
  what: string,
  stream: ProgressStream = process.stderr,
): { readonly show: (progress: Progress) => void; readonly end: () => void } {
  if (stream.isTTY !== true) return { show: () => undefined, end: () => undefined };
  let shown = false;
  return {
    show({ percentDone, filesDone, totalFiles, bytesDone, totalBytes }) {
      const text = `${what}: ${percentDone}%, ${filesDone} of ${totalFiles} files, ${formatSize(bytesDone)} of ${formatSize(totalBytes)}`;
      // Longer lines would wrap, and the cursor could not go back over them.
      stream.write(`\r\x1b[K${text.slice(0, Math.max(20, (stream.columns ?? 80) - 1))}`);
      shown = true;
    },
    end() {
      if (shown) stream.write("\r\x1b[K");
    },
  };
}
