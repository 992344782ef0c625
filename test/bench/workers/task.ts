/** What the runner wrote to this worker's standard input. */
export async function task<T>(): Promise<T> {
  let text = "";
  for await (const chunk of process.stdin) text += String(chunk);
  return JSON.parse(text) as T;
}

/** The worker's answer: the last line of its standard output. */
export function answer(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** Of this process, its peak so far. */
export function peakMiB(): number {
  return process.resourceUsage().maxRSS / 1024;
}
