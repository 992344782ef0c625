/**
 * Asks until `probe` stops throwing, and answers what it answers; then the last error is the test's. For what
 * another process does in its own time.
 */
export async function eventually<T>(probe: () => Promise<T>, withinMs = 30_000): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    try {
      return await probe();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
