/** One step of the way to a phase: `phase` answers undefined when the next rule is asked. */
export type PhaseRule<Input, Phase extends string> = {
  /** One sentence for docs/spec. */
  readonly says: string;
  readonly phase: (input: Input) => Phase | undefined;
};

/** The answer of the first rule that has one; every list of rules ends with one that always answers. */
export function firstPhase<Input, Phase extends string>(
  rules: readonly PhaseRule<Input, Phase>[],
  input: Input,
  otherwise: Phase,
): Phase {
  for (const rule of rules) {
    const phase = rule.phase(input);
    if (phase !== undefined) return phase;
  }
  return otherwise;
}
