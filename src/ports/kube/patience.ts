import type { Clock } from "../../base/clock.ts";

export type Patience = {
  /** A request that was first tried at `firstAt` failed in a way that may pass; answers how long that has gone on. */
  failed(firstAt: number): number;
  /** The server did what it was asked, or refused it for good. */
  worked(): void;
};

/**
 * Since when a server does nothing that it is asked, over all requests of a client: when one has waited for it in
 * vain, the next ones need not wait as long again, each after the other. A failure that is `forgetMs` old says nothing.
 */
export function createPatience(clock: Clock, forgetMs: number): Patience {
  let trouble: { readonly since: number; readonly last: number } | undefined;
  return {
    failed: (firstAt) => {
      const now = clock.now();
      const goesOn = trouble !== undefined && now - trouble.last <= forgetMs;
      const since = goesOn && trouble !== undefined ? trouble.since : now;
      trouble = { since, last: now };
      return now - Math.min(firstAt, since);
    },
    worked: () => {
      trouble = undefined;
    },
  };
}
