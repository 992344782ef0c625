import { subscribe } from "node:diagnostics_channel";

/** Counts every HTTP request of this process from now on. */
export function countRequests(): { readonly count: () => number } {
  let requests = 0;
  subscribe("undici:request:create", () => {
    requests += 1;
  });
  return { count: () => requests };
}
