const units = [
  ["TiB", 1024 ** 4],
  ["GiB", 1024 ** 3],
  ["MiB", 1024 ** 2],
  ["KiB", 1024],
] as const;

/** Bytes as KubeStash writes them: `1.250 MiB`; a unit is used when there is more than one of it. */
export function formatSize(bytes: number): string {
  for (const [unit, size] of units) {
    if (bytes > size) return `${(bytes / size).toFixed(3)} ${unit}`;
  }
  return `${Math.round(bytes)} B`;
}

/** Bytes of such a text, as near as it says; undefined when it is none. */
export function parseSize(text: string): number | undefined {
  const found = /^(\d+(?:\.\d+)?) ?(B|KiB|MiB|GiB|TiB)$/.exec(text);
  if (found === null) return undefined;
  const size = units.find(([unit]) => unit === found[2])?.[1] ?? 1;
  return Math.round(Number(found[1]) * size);
}
