/** Runs `run` over the items, at most `limit` at a time, and waits for all. The first error ends it. */
export async function inParallel<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  limit: number,
  run: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  let stopped = false;
  const worker = async () => {
    for (let next = await queue.next(); !next.done && !stopped; next = await queue.next()) {
      try {
        await run(next.value);
      } catch (thrown) {
        stopped = true;
        throw thrown;
      }
    }
  };
  await Promise.all(Array.from({ length: limit }, worker));
}
