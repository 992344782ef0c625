import { parseMessage, textIn } from "./messages.ts";
import type { ResticProcess } from "./process.ts";
import { checkSnapshotId } from "./repository.ts";
import type { ResticRepository } from "./restic.ts";

/** `diff --json`, streamed: paths in both snapshots of which the content or the type is another one. */
export async function* listChanged(
  process: ResticProcess,
  repository: ResticRepository,
  [older, newer]: readonly [string, string],
  signal: AbortSignal | undefined,
): AsyncGenerator<string, void, void> {
  const lines = process.lines(repository, {
    args: ["diff", "--json", "--no-lock", checkSnapshotId(older), checkSnapshotId(newer)],
    doing: { what: `compare snapshots ${older} and ${newer}`, where: repository.url },
    long: true,
    signal,
  });
  for await (const line of lines) {
    const message = parseMessage(line);
    if (message?.["message_type"] !== "change" || !/[MT]/.test(textIn(message, "modifier"))) continue;
    yield textIn(message, "path").replace(/(?<=.)\/$/, "");
  }
}
