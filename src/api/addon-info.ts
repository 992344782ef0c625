import {
  containerRuntimeSettings,
  environmentVariable,
  podTemplate,
  volume,
  volumeClaimTemplate,
  volumeMount,
} from "./core-pieces.ts";
import { list, object, optional, passedOn, type TypeOf, text } from "./schema.ts";

export type AddonInfo = TypeOf<ReturnType<typeof addonInfo>>;
export type TaskReference = NonNullable<AddonInfo["tasks"]>[number];

/** Which addon does the work, with which of its tasks and with what. */
export function addonInfo(description: string) {
  const targetVolumes = object(
    {
      volumes: optional(list(volume(), "Volumes of the target.")),
      volumeMounts: optional(list(volumeMount(), "Where they are mounted in the Job.")),
      volumeClaimTemplates: optional(
        list(volumeClaimTemplate("One claim."), "Claims that a restore creates first."),
      ),
    },
    "What of the target is mounted in the Job; the target's own volumes when absent.",
  );
  const addonVolume = object(
    {
      name: text("Name of the addon's volume template."),
      source: optional(passedOn("core/v1 VolumeSource", "The source in its place.")),
    },
    "One override.",
  );
  const task = object(
    {
      name: text("Name of one of the Addon's tasks.", { minLength: 1 }),
      params: optional(
        passedOn(
          "parameter name to string",
          "Values of the task's parameters, spelled as the Addon declares them.",
        ),
      ),
      variables: optional(list(environmentVariable(), "More variables for the Function.")),
      targetVolumes: optional(targetVolumes),
      addonVolumes: optional(list(addonVolume, "Volumes in place of the addon's volume templates.")),
    },
    "One task.",
  );
  return object(
    {
      name: text("Name of the Addon.", { minLength: 1 }),
      tasks: list(task, "Tasks to run; they share one Snapshot.", { minItems: 1 }),
      containerRuntimeSettings: optional(containerRuntimeSettings("Settings of the Job's containers.")),
      jobTemplate: optional(podTemplate("Settings of the Job and its pod.")),
    },
    description,
  );
}
