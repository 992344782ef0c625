/** The budgets of one reading (promise 11), those of one file among them. Whoever outgrows one is told its number. */
export const limits = {
  /** Bytes of one file. */
  fileBytes: 1024 * 1024,
  /** Files read below the cluster's path. */
  files: 10_000,
  /** Bytes of all files together. */
  totalBytes: 64 * 1024 * 1024,
  /** Files whose contents are asked for, and held, at a time. */
  filesAtOnce: 64,
  /** Nesting of lists and maps, aliases followed. */
  depth: 100,
  /** Values in one file, aliases and merge keys expanded. */
  nodes: 100_000,
  /** Characters of keys and text in one file, aliases and merge keys expanded. */
  characters: 4 * 1024 * 1024,
  /** Problems reported of one file. */
  problemsOfFile: 50,
} as const;
