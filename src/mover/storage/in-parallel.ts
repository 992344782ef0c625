/** Runs `run` over the items, at most `limit` at a time, and waits for those that run. The first error ends it. */
export async function inParallel<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  limit: number,
  run: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  const errors: unknown[] = [];
  const worker = async () => {
    try {
      for (let next = await queue.next(); !next.done; next = await queue.next()) {
        if (errors.length > 0) return;
        await run(next.value);
      }
    } catch (thrown) {
      errors.push(thrown);
    }
  };
  await Promise.all(Array.from({ length: limit }, worker));
  if (errors.length > 0) throw errors[0];
}
