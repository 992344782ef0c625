import type { FieldError } from "../field-error.ts";

/** A rule about one object, beyond its schema. */
export type Rule<Kind> = {
  /** One sentence for docs/spec. */
  readonly says: string;
  readonly check: (object: Kind) => readonly FieldError[];
};

/** A rule about an object and others; who has them asks it. */
export type Relation<Arguments extends readonly unknown[]> = {
  readonly says: string;
  readonly check: (...given: Arguments) => readonly FieldError[];
};
