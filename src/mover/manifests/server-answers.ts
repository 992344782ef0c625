import { HoldfastError } from "../../base/errors.ts";

/** Whether the API server answers during a pass, so that a restore neither ends with one lost connection nor waits for ever. */
export type ServerAnswers = {
  beginPass(): void;
  answered(): void;
  unanswered(): void;
  /** Many requests in a row got no answer: the rest of the pass is not tried. */
  isSilent(): boolean;
  /** Whether anything was answered in this pass. */
  any(): boolean;
  /** Whether anything was not. */
  lost(): boolean;
};

/** Two for each object that is on its way at a time. */
const silentAfter = 16;

export function createServerAnswers(): ServerAnswers {
  let answers = 0;
  let losses = 0;
  let inARow = 0;
  return {
    beginPass() {
      answers = 0;
      losses = 0;
      inARow = 0;
    },
    answered() {
      answers += 1;
      inARow = 0;
    },
    unanswered() {
      losses += 1;
      inARow += 1;
    },
    isSilent: () => inARow >= silentAfter,
    any: () => answers > 0,
    lost: () => losses > 0,
  };
}

/** The error of what was left for later because the server is silent. */
export function notTried(): HoldfastError {
  return new HoldfastError("ApiServerSilent", "not tried, because the API server did not answer", {
    disposition: "retry",
    next: "Check that the API server runs, and restore again.",
  });
}
