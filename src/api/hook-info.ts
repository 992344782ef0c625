import { containerRuntimeSettings, environmentVariable, volume, volumeMount } from "./core-pieces.ts";
import { objectReference } from "./references.ts";
import { choice, duration, integer, list, object, optional, passedOn, type TypeOf, text } from "./schema.ts";

export type HookInfo = TypeOf<ReturnType<typeof hookInfo>>;

function hookInfo() {
  return object(
    {
      name: text("Name of the hook in status."),
      hookTemplate: optional(objectReference("HookTemplate that says what is done.")),
      params: optional(
        passedOn("parameter name to string", "Values of the parameters that the HookTemplate declares."),
      ),
      maxRetry: optional(integer("How often a failed hook is tried again.", { default: 0, minimum: 0 })),
      timeout: optional(duration("How long one attempt may take.")),
      executionPolicy: optional(
        choice(["Always", "OnSuccess", "OnFailure"], "After which outcome a post hook runs.", {
          default: "Always",
        }),
      ),
      variables: optional(list(environmentVariable(), "More variables.")),
      volumes: optional(list(volume(), "Volumes, for hooks that are Functions.")),
      volumeMounts: optional(list(volumeMount(), "Mounts, for hooks that are Functions.")),
      runtimeSettings: optional(containerRuntimeSettings("Settings, for hooks that are Functions.")),
    },
    "One hook.",
  );
}

export function hookList(description: string) {
  return list(hookInfo(), description);
}

/** status.hooks of a session. */
export function hookStatus() {
  const one = object(
    {
      name: text("Name of the hook."),
      phase: optional(choice(["Pending", "Succeeded", "Failed"], "How it stands with the hook.")),
    },
    "One hook.",
  );
  return object(
    {
      preHooks: optional(list(one, "Hooks before the data is touched.")),
      postHooks: optional(list(one, "Hooks after it.")),
    },
    "How it stands with the hooks.",
  );
}
