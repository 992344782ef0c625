import { HoldfastError } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { numberIn, parseMessage, textIn } from "./messages.ts";
import type { ResticProcess } from "./process.ts";
import { checkSnapshotId, maxSnapshotsBytes, snapshotOf } from "./repository.ts";
import type { ListOptions, ResticNode, ResticRepository } from "./restic.ts";
import { checkedPath } from "./source.ts";

/** A node with what is needed to give a directory its own mode, owner and time back. */
export type DetailedNode = ResticNode & {
  readonly uid: number;
  readonly gid: number;
  /** Permission bits with setuid, setgid and sticky, as chmod takes them. */
  readonly mode: number;
  /** RFC 3339 */
  readonly modifiedAt: string;
};

export type ListRequest = {
  readonly snapshotId: string;
  /** Absent: the whole snapshot. */
  readonly path?: string | undefined;
  /** Only the path itself and what lies directly in it. */
  readonly shallow?: true;
};

/** `ls --json`, streamed. Throws `SnapshotNotFound`; a path that is not in the snapshot yields nothing. */
export async function* listNodes(
  process: ResticProcess,
  repository: ResticRepository,
  request: ListRequest,
  { signal, onSnapshot }: ListOptions,
): AsyncGenerator<DetailedNode, void, void> {
  const path = checkedPath(request.path ?? "/");
  const limited = path === "/" && !request.shallow ? [] : [path];
  const recursive = limited.length > 0 && !request.shallow ? ["--recursive"] : [];
  const lines = process.lines(repository, {
    args: ["ls", "--json", "--no-lock", ...recursive, checkSnapshotId(request.snapshotId), ...limited],
    doing: { what: `list snapshot ${request.snapshotId}`, where: repository.url },
    long: true,
    maxLineBytes: maxSnapshotsBytes,
    signal,
  });
  let found = false;
  for await (const line of lines) {
    // The first line is the snapshot itself. restic before 0.17 ends with 0 and no line when it is absent.
    const message = parseMessage(line);
    if (message === undefined) throw unreadable(request.snapshotId, repository);
    if (!found) {
      found = true;
      onSnapshot?.(snapshotOf(message));
      continue;
    }
    if (message["struct_type"] !== "node" && message["message_type"] !== "node") continue;
    const node = nodeOf(message);
    if (path === "/" || node.path === path || node.path.startsWith(`${path}/`)) yield node;
  }
  if (found) return;
  throw new HoldfastError(
    "SnapshotNotFound",
    `restic finds no snapshot ${request.snapshotId} (${repository.url})`,
    {
      disposition: "stall",
      next: "Name a Snapshot whose data is still in the repository (`holdfast snapshots`).",
    },
  );
}

function nodeOf(message: JsonObject): DetailedNode {
  return {
    path: textIn(message, "path"),
    type: typeOf(textIn(message, "type")),
    sizeBytes: numberIn(message, "size"),
    uid: numberIn(message, "uid"),
    gid: numberIn(message, "gid"),
    mode: permissionsOf(numberIn(message, "mode")),
    modifiedAt: textIn(message, "mtime"),
  };
}

function typeOf(type: string): ResticNode["type"] {
  return type === "file" || type === "dir" || type === "symlink" ? type : "other";
}

/** Go's os.FileMode keeps setuid, setgid and sticky in bits 23, 22 and 20. */
function permissionsOf(goMode: number): number {
  const bit = (from: number, to: number) => (Math.floor(goMode / 2 ** from) % 2 === 1 ? to : 0);
  return (goMode & 0o777) | bit(23, 0o4000) | bit(22, 0o2000) | bit(20, 0o1000);
}

function unreadable(snapshotId: string, repository: ResticRepository): HoldfastError {
  return new HoldfastError(
    "ResticFailed",
    `restic's list of snapshot ${snapshotId} (${repository.url}) holds a line that is no JSON`,
    { disposition: "retry", next: `Run \`restic ls --json ${snapshotId}\` and look at what it prints.` },
  );
}
