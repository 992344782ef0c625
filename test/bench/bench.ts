import type { BuiltPackage } from "./built-package.ts";

/** One line of the report. Ratios are what is compared over time and between machines; seconds are not. */
export type Figure = {
  readonly name: string;
  /** Of ours, in `unit`. */
  readonly median: number;
  readonly unit: "ms" | "s" | "MiB" | "KiB" | "count" | "per s";
  /** The floor's or peer's median on the same work in the same run, in the same unit. */
  readonly floor: number;
  /** median / floor; of rates floor / median, so that more is always worse. */
  readonly ratio: number;
  /** What the floor is. */
  readonly against: string;
  /** Other things that were counted on the way. */
  readonly also?: Readonly<Record<string, number | string>>;
  /** Which bound it does not keep: then the bench fails. */
  readonly exceeds?: string;
};

export type Place = {
  /** An empty folder, gone afterwards. */
  readonly home: string;
  readonly built: BuiltPackage;
  /** Of which sizes the benches of manifests are, smallest first. */
  readonly objects: readonly number[];
};

/** One named measurement. */
export type Bench = {
  readonly name: string;
  readonly about: string;
  readonly run: (place: Place) => Promise<readonly Figure[]>;
};

/** What one run of something cost. Undefined where this machine cannot tell. */
export type Sample = {
  readonly wallMs: number;
  /** User and system time, with everything that was started and waited for. */
  readonly cpuMs?: number;
  readonly peakMiB?: number;
};

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low, high] = [sorted[middle - 1] ?? 0, sorted[middle] ?? 0];
  return sorted.length % 2 === 1 ? high : (low + high) / 2;
}

/** Runs ours and the floor in turn, so that what else the machine does meets both; the first pair only warms up. */
export async function inPairs<A, B>(
  pairs: number,
  ours: () => Promise<A>,
  floor: () => Promise<B>,
  warmUp = true,
): Promise<{ readonly ours: readonly A[]; readonly floor: readonly B[] }> {
  const taken = { ours: [] as A[], floor: [] as B[] };
  for (let pair = warmUp ? 0 : 1; pair <= pairs; pair += 1) {
    const [one, other] = [await ours(), await floor()];
    if (pair === 0) continue;
    taken.ours.push(one);
    taken.floor.push(other);
  }
  return taken;
}

/** A figure of two sets of values where less is better. */
export function figure(
  name: string,
  unit: Figure["unit"],
  values: { readonly ours: readonly number[]; readonly floor: readonly number[] },
  rest: Pick<Figure, "against" | "also">,
): Figure {
  const [ours, floor] = [median(values.ours), median(values.floor)];
  return { name, median: rounded(ours), unit, floor: rounded(floor), ratio: rounded(ours / floor), ...rest };
}

export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
