import { apiVersionOf, type Resource } from "../api/meta.ts";
import { HoldfastError, messageOf } from "../base/errors.ts";
import { type JobContext, moverManager } from "./job-context.ts";

const progressEveryMs = 10_000;
const attempts = 6;
const firstPauseMs = 500;
const longestPauseMs = 10_000;
const maxErrorLength = 2000;

/** A status.components[X] of a Snapshot or a RestoreSession: the whole of it at every write. */
export type ComponentState = { readonly error?: string };

export type Reporter<State extends ComponentState> = {
  /** Waits until it is written; conflicts and hiccups are tried again for about half a minute, a server that is away for some minutes. */
  write(state: State): Promise<void>;
  /** At most every 10 s and never two at once; one that fails is logged and forgotten. */
  progress(state: () => State): void;
};

export type ReportTarget = {
  readonly resource: Resource;
  readonly namespace: string;
  readonly name: string;
  readonly component: string;
};

/** Writes nothing but its own component, by server-side apply with force, so that nobody else's field is touched. */
export function createReporter<State extends ComponentState>(
  context: JobContext,
  target: ReportTarget,
): Reporter<State> {
  let nextProgressAt = context.clock.now() + progressEveryMs;
  let inFlight: Promise<void> | undefined;
  const where = `${target.resource.kind} ${target.namespace}/${target.name}`;
  const apply = async (state: State) => {
    await context.kube.apply(target.resource, statusOf(context, target, state), {
      manager: managerOf(target.component),
      force: true,
      subresource: "status",
    });
  };
  return {
    async write(state) {
      await inFlight;
      await withRetries(context, () => apply(state));
    },
    progress(state) {
      if (inFlight !== undefined || context.clock.now() < nextProgressAt) return;
      nextProgressAt = context.clock.now() + progressEveryMs;
      inFlight = apply(state())
        .catch((thrown: unknown) => context.log(`progress of ${where} not written: ${messageOf(thrown)}`))
        .finally(() => {
          inFlight = undefined;
        });
    },
  };
}

/** The longest name of a field manager that an API server takes. */
const longestManager = 128;

/**
 * Each component has a manager of its own: a server takes away what a manager applied before and no longer
 * names, so that components under one name would erase each other.
 */
export function managerOf(component: string): string {
  return `${moverManager}-${component}`.slice(0, longestManager);
}

function statusOf(context: JobContext, target: ReportTarget, state: ComponentState) {
  const { resource, namespace, name, component } = target;
  const error = state.error === undefined ? {} : { error: shortened(context.secrets.redact(state.error)) };
  return {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    metadata: { namespace, name },
    status: { components: { [component]: { ...state, ...error } } },
  };
}

/** A report must arrive even when the job is told to end, so the job's own signal does not stop it. */
async function withRetries(context: JobContext, run: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run();
    } catch (thrown) {
      const again = thrown instanceof HoldfastError && thrown.disposition === "retry" && attempt < attempts;
      if (!again) throw thrown;
      const pause = thrown.retryAfterMs ?? firstPauseMs * 2 ** (attempt - 1);
      await context.clock.sleep(Math.min(pause, longestPauseMs));
    }
  }
}

function shortened(text: string): string {
  return text.length <= maxErrorLength ? text : `${text.slice(0, maxErrorLength)}…`;
}
