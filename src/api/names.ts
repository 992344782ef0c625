/** The longest name that fits a label. */
const longest = 63;
const longestOfCronJob = 52;

/**
 * KubeStash's rule for names that are too long: the first 32 and the last 31 characters, without a `-` at an end.
 * Two long names can become one, so what it shortens ends in something unique, such as a time.
 */
export function shortName(name: string): string {
  if (name.length <= longest) return name;
  return trim(`${name.slice(0, 32)}${name.slice(-31)}`);
}

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

export function retentionJobName(backupSession: string): string {
  return shortName(`retentionpolicy-${backupSession}`);
}

/** Job that makes metadata.yaml of a backend that only a pod can mount. */
export function initializeJobName(backupStorage: string): string {
  return shortName(`init-${backupStorage}`);
}

export function uploadJobName(object: string): string {
  return shortName(`upload-${object}`);
}

/** Job that removes what a BackupStorage, Repository or Snapshot held. */
export function cleanupJobName(object: string): string {
  return shortName(`cleanup-${object}`);
}

/**
 * A name out of parts that do not end in something unique, such as a Job per session and component. When it is
 * too long its end is a digest of the whole, so that two such names stay two.
 */
export function nameOfParts(...parts: readonly string[]): string {
  return within(longest, parts);
}

function within(most: number, parts: readonly string[]): string {
  const name = trim(
    parts
      .join("-")
      .toLowerCase()
      .replaceAll(/[^a-z0-9-]/g, "-"),
  );
  const digest = digestOf(parts.join("/"));
  return name.length <= most ? name : `${trim(name.slice(0, most - digest.length - 1))}-${digest}`;
}

function trim(name: string): string {
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
