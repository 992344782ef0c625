import { createHash } from "node:crypto";
import type { KubeObject } from "../../api/meta.ts";
import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import { numberAt } from "../value.ts";
import { type Client, isCode } from "./client.ts";
import type { Log } from "./controller.ts";
import { resources } from "./resources.ts";

export type EventWords = {
  readonly type: "Normal" | "Warning";
  /** CamelCase, Kubernetes' own words where it has them. */
  readonly reason: string;
  readonly message: string;
};

/** Writes Kubernetes Events about an object. Never throws: an Event that cannot be written is only logged. */
export type EventRecorder = (about: KubeObject, component: string, words: EventWords) => Promise<void>;

/**
 * The same words about the same object are one Event whose count grows; its name is made from them, so a
 * restart continues the count.
 */
export function createEventRecorder(client: Client, clock: Clock, log: Log): EventRecorder {
  return async (about, component, words) => {
    const { namespace = "default", name, uid = "" } = about.metadata;
    const digest = createHash("sha256")
      .update(JSON.stringify([uid, component, words]))
      .digest("hex");
    const target = { namespace, name: `${name.slice(0, 200)}.${digest.slice(0, 16)}` };
    const now = timestamp(clock.now());
    try {
      const seen = await client.get(resources.events, target);
      if (seen === undefined) {
        await client.create(resources.events, {
          apiVersion: "v1",
          kind: "Event",
          metadata: target,
          involvedObject: {
            apiVersion: about.apiVersion,
            kind: about.kind,
            name,
            uid,
            ...(about.metadata.namespace === undefined ? {} : { namespace }),
          },
          ...words,
          source: { component },
          reportingComponent: component,
          reportingInstance: "",
          firstTimestamp: now,
          lastTimestamp: now,
          count: 1,
        });
      } else {
        const count = (numberAt(seen, "count") ?? 1) + 1;
        await client.patch(resources.events, target, { count, lastTimestamp: now });
      }
    } catch (error) {
      // An Event about something in a namespace that is going away is refused.
      if (!isCode(error, 403, 404, 409))
        log("warn", `cannot write Event ${words.reason}: ${messageOf(error)}`);
    }
  };
}

/** RFC 3339 in whole seconds, as Kubernetes writes `metav1.Time`. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, "Z");
}
