import { createRedactor } from "../base/redact.ts";

/** Remembers every secret value that a job reads, so that no text that leaves the job can hold one. */
export type SecretKeeper = {
  add(values: Iterable<string>): void;
  redact(text: string): string;
};

export function createSecretKeeper(): SecretKeeper {
  const known = new Set<string>();
  let redact = createRedactor([]);
  return {
    add(values) {
      for (const value of values) {
        known.add(value);
        // A value with a line end (made with `echo`) is shown without it.
        known.add(value.trim());
      }
      redact = createRedactor(known);
    },
    redact: (text) => redact(text),
  };
}
