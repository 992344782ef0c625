const atMost = 50;

/** Parts of the source that are not in the backup; the first 50 by name, the rest counted. */
export type MissingParts = {
  add(part: string): void;
  count(): number;
  list(): readonly string[];
  /** Answers what takes back all that is added from now on. */
  mark(): () => void;
};

export function createMissingParts(): MissingParts {
  const parts: string[] = [];
  let count = 0;
  return {
    add(part) {
      count += 1;
      if (parts.length < atMost) parts.push(part);
    },
    count: () => count,
    list: () => (count <= atMost ? parts : [...parts.slice(0, atMost - 1), `and ${count - atMost + 1} more`]),
    mark: () => {
      const then = count;
      return () => {
        count = then;
        parts.length = Math.min(then, atMost);
      };
    },
  };
}
