import type { WriteStream } from "node:tty";

/** What the demo shows: progress on one line of a terminal, plain lines elsewhere. */
export class Stage {
  private readonly out: WriteStream;
  private readonly startedMs = performance.now();
  private shown = "";

  constructor(out: WriteStream) {
    this.out = out;
  }

  title(text: string): void {
    const seconds = ((performance.now() - this.startedMs) / 1000).toFixed(1);
    this.line(`\n== ${text}  [${seconds} s]`);
  }

  line(text: string): void {
    this.clear();
    this.out.write(`${text}\n`);
  }

  block(text: string): void {
    for (const line of text.trimEnd().split("\n")) this.line(`    ${line}`);
  }

  /** What is waited for; shown on a terminal only, where it can be taken away again. */
  progress(what: string): void {
    if (!this.out.isTTY || what === this.shown) return;
    this.clear();
    this.shown = what;
    if (what !== "") this.out.write(`  … ${what.slice(0, Math.max(20, this.out.columns - 5))}`);
  }

  private clear(): void {
    if (this.shown !== "") this.out.write("\r\u001b[K");
    this.shown = "";
  }
}
