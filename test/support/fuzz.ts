/** How many inputs a property is tried with, and from which seed. */
export type Fuzz = { readonly numRuns: number; readonly seed?: number };

/**
 * `usual` inputs, the same ones every time. HOLDFAST_FUZZ_RUNS, each of which is worth `each` inputs, goes looking
 * for new ones, or for those of HOLDFAST_FUZZ_SEED.
 */
export function fuzz(usual: number, each = 100): Fuzz {
  const { HOLDFAST_FUZZ_RUNS: wanted, HOLDFAST_FUZZ_SEED: seed } = process.env;
  const numRuns = Math.max(usual, Number(wanted ?? 0) * each);
  if (seed !== undefined) return { numRuns, seed: Number(seed) };
  return wanted === undefined ? { numRuns, seed: 1 } : { numRuns };
}
