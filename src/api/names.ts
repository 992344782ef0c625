/** The longest name that fits a label. */
const longest = 63;
const longestOfCronJob = 52;

/** A CronJob, to whose name Kubernetes itself adds eleven characters for each Job. */
export function triggerName(configuration: string, session: string): string {
  const name = `trigger-${configuration}-${session}`;
  return name.length <= longestOfCronJob
    ? name
    : within(longestOfCronJob, ["trigger", configuration, session]);
}

export function backupSessionName(configuration: string, session: string, unixSeconds: number): string {
  return shortName(`${configuration}-${session}-${unixSeconds}`);
}

export function snapshotName(repository: string, backupSession: string): string {
  return shortName(`${repository}-${backupSession}`);
}

/**
 * Begin and end of what is too long, which has the time, and between them a digest of the whole. Without that, as
 * KubeStash has it, the Snapshots of one session in two Repositories become one.
 */
function shortName(name: string): string {
  if (name.length <= longest) return name;
  const digest = digestOf(name);
  const begin = longest - digest.length - 2 - keptAtEnd;
  return `${withoutEdges(name.slice(0, begin))}-${digest}-${withoutEdges(name.slice(-keptAtEnd))}`;
}

const keptAtEnd = 31;

/**
 * A name out of parts that do not end in something unique, such as a Job per session and component. When it is
 * too long its end is a digest of the whole, so that two such names stay two.
 */
export function nameOfParts(...parts: readonly string[]): string {
  return within(longest, parts);
}

function within(most: number, parts: readonly string[]): string {
  const name = withoutEdges(
    parts
      .join("-")
      .toLowerCase()
      .replaceAll(/[^a-z0-9-]/g, "-"),
  );
  const digest = digestOf(parts.join("/"));
  return name.length <= most ? name : `${withoutEdges(name.slice(0, most - digest.length - 1))}-${digest}`;
}

/** Of a name that was cut: neither a name nor a label begins or ends with `-` or `.`. */
export function withoutEdges(name: string): string {
  return name.replaceAll(/^[-.]+|[-.]+$/g, "");
}

/** FNV-1a in 64 bits: stable over releases, and enough to tell names of one namespace apart. */
function digestOf(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash.toString(16).padStart(16, "0").slice(0, 10);
}
