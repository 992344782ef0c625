import type { Stage } from "./stage.ts";

/** Counts what was checked; the demo ends well only if all of it held. */
export class Checks {
  passed = 0;
  failed = 0;
  private readonly stage: Stage;

  constructor(stage: Stage) {
    this.stage = stage;
  }

  that(what: string, holds: boolean): void {
    if (holds) this.passed += 1;
    else this.failed += 1;
    this.stage.line(`  ${holds ? "ok" : "FAILED"}  ${what}`);
  }

  same(what: string, now: ReadonlyMap<string, string>, before: ReadonlyMap<string, string>): void {
    const names = [...new Set([...now.keys(), ...before.keys()])];
    const differing = names.filter((name) => now.get(name) !== before.get(name));
    this.that(`${what} (${before.size} compared)`, before.size > 0 && differing.length === 0);
    for (const name of differing)
      this.stage.line(`        ${name}: ${now.get(name)} instead of ${before.get(name)}`);
  }
}
