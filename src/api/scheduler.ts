import { podTemplate } from "./core-pieces.ts";
import { choice, flag, integer, object, optional, type TypeOf, text } from "./schema.ts";

export type Scheduler = TypeOf<ReturnType<typeof scheduler>>;

/** When a session runs: it becomes a CronJob. */
export function scheduler(description: string) {
  const jobTemplate = object(
    {
      parallelism: optional(integer("Pods at a time.", { minimum: 0 })),
      completions: optional(integer("Pods that must succeed.", { minimum: 0 })),
      activeDeadlineSeconds: optional(
        integer("Seconds that the Job may take.", { format: "int64", minimum: 0 }),
      ),
      backoffLimit: optional(integer("Retries of the Job's pod.", { minimum: 0 })),
      template: optional(podTemplate("Settings of the pod.")),
      ttlSecondsAfterFinished: optional(integer("Seconds until a finished Job is removed.", { minimum: 0 })),
      completionMode: optional(text("`NonIndexed` or `Indexed`.")),
      suspend: optional(flag("Create the Job suspended.")),
    },
    "Settings of the Jobs that start sessions; `{}` is enough.",
  );
  return object(
    {
      schedule: text("When, in cron's five fields."),
      jobTemplate,
      startingDeadlineSeconds: optional(
        integer("Seconds after which a missed run is let go.", { format: "int64", minimum: 0 }),
      ),
      concurrencyPolicy: optional(
        choice(
          ["Allow", "Forbid", "Replace"],
          "What happens when a run is due and one is active; `Allow` when absent.",
        ),
      ),
      suspend: optional(flag("Start no sessions.")),
      successfulJobsHistoryLimit: optional(integer("Succeeded Jobs that are kept.", { minimum: 0 })),
      failedJobsHistoryLimit: optional(integer("Failed Jobs that are kept.", { minimum: 0 })),
    },
    description,
  );
}
