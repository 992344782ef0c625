import type { KubeObject } from "../../api/meta.ts";
import { textAt } from "../value.ts";
import { targetOf } from "./client.ts";
import { type Controller, type ControllerContext, keyOfObject, targetOfKey } from "./controller.ts";
import { resources } from "./resources.ts";

/** What kube-apiserver's `--event-ttl` is by default. */
const lifetimeMs = 3_600_000;

/** Deletes Events an hour after they were last seen, so that they do not pile up. */
export function createEventExpiry(context: ControllerContext): Controller {
  return {
    name: "event-expiry",
    watches: [{ resource: resources.events, keys: (event) => [keyOfObject(event)] }],
    async reconcile(key) {
      const event = await context.client.get(resources.events, targetOfKey(key));
      if (event === undefined) return undefined;
      const remaining = lastSeenMs(event) + lifetimeMs - context.clock.now();
      if (remaining > 0) return remaining;
      await context.client.delete(resources.events, targetOf(event));
      return undefined;
    },
  };
}

function lastSeenMs(event: KubeObject): number {
  const times = [
    textAt(event, "lastTimestamp"),
    textAt(event, "series", "lastObservedTime"),
    textAt(event, "eventTime"),
    event.metadata.creationTimestamp ?? "",
  ];
  return Math.max(0, ...times.map((time) => Date.parse(time)).filter((time) => !Number.isNaN(time)));
}
