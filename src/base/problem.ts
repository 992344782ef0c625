/** Where a document stands in the remote: the file's path from its root and the 1-based line. */
export type Place = { readonly path: string; readonly line: number };

/**
 * Something that is wrong and does not stop the rest. Stages collect problems and go on;
 * `error` makes the exit code 1, `warning` does not.
 */
export type Problem = {
  readonly severity: "error" | "warning";
  /** CamelCase, stable: the reason of the condition, the Event and the metric label. */
  readonly reason: string;
  /** What is wrong, one sentence, without the place. */
  readonly message: string;
  readonly place?: Place;
  /** `Kind namespace/name`, when the problem belongs to an object. */
  readonly object?: string;
  /** What to do next, one imperative sentence. */
  readonly next?: string;
};
