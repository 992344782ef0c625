/** For a cache, what a file system refuses is absent: the remote has every object. */
export function attempt<Answer>(work: () => Answer): Answer | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
