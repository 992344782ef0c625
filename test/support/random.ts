export type Random = {
  /** A whole number from 0, below the limit. */
  below(limit: number): number;
  pick<T>(items: readonly T[]): T;
};

/** The same numbers for the same seed (mulberry32). */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return {
    below,
    pick(items) {
      const [found] = items.slice(below(items.length));
      if (found === undefined) throw new Error("nothing to pick from");
      return found;
    },
  };
}
