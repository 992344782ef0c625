import type { JsonObject } from "../../base/json.ts";
import { at, objectAt, textAt, withAt } from "../value.ts";
import { mapped, over, podSpecWithDefaults } from "./pod.ts";

/** Defaults as https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/ gives them. */

function withTemplate(spec: JsonObject): JsonObject {
  return mapped(spec, "template", (template) => mapped(template, "spec", podSpecWithDefaults));
}

export function jobDefaults(object: JsonObject): JsonObject {
  const withSpec = mapped(object, "spec", (raw) => {
    const spec = withTemplate(raw);
    const alone = spec["completions"] === undefined && spec["parallelism"] === undefined;
    return over(
      {
        parallelism: 1,
        ...(alone ? { completions: 1 } : {}),
        backoffLimit: spec["backoffLimitPerIndex"] === undefined ? 6 : 2_147_483_647,
        completionMode: "NonIndexed",
        suspend: false,
        manualSelector: false,
        podReplacementPolicy: spec["podFailurePolicy"] === undefined ? "TerminatingOrFailed" : "Failed",
      },
      spec,
    );
  });
  if (Object.keys(objectAt(object, "metadata", "labels")).length > 0) return withSpec;
  const labels = at(withSpec, "spec", "template", "metadata", "labels");
  return labels === undefined ? withSpec : withAt(withSpec, ["metadata", "labels"], labels);
}

/** The selector and labels by which a Job finds its pods; made once, at creation. */
export function jobSelector(object: JsonObject): JsonObject {
  if (at(object, "spec", "manualSelector") === true) return object;
  const uid = textAt(object, "metadata", "uid");
  const name = textAt(object, "metadata", "name");
  const labels = {
    ...objectAt(object, "spec", "template", "metadata", "labels"),
    "batch.kubernetes.io/controller-uid": uid,
    "batch.kubernetes.io/job-name": name,
    "controller-uid": uid,
    "job-name": name,
  };
  const selector = { matchLabels: { "batch.kubernetes.io/controller-uid": uid } };
  const templated = withAt(object, ["spec", "template", "metadata", "labels"], labels);
  const selected = withAt(templated, ["spec", "selector"], selector);
  // A Job without labels of its own has those of its pods, also the ones that were just made.
  if (Object.keys(objectAt(object, "metadata", "labels")).length > 0) return selected;
  return withAt(selected, ["metadata", "labels"], labels);
}

export function cronJobDefaults(object: JsonObject): JsonObject {
  return mapped(object, "spec", (spec) =>
    over(
      {
        concurrencyPolicy: "Allow",
        suspend: false,
        successfulJobsHistoryLimit: 3,
        failedJobsHistoryLimit: 1,
      },
      mapped(spec, "jobTemplate", (template) => mapped(template, "spec", withTemplate)),
    ),
  );
}

function rolling(strategy: JsonObject, limits: JsonObject): JsonObject {
  const out = over({ type: "RollingUpdate" }, strategy);
  if (out["type"] !== "RollingUpdate") return out;
  return { ...out, rollingUpdate: over(limits, objectAt(out, "rollingUpdate")) };
}

export function deploymentDefaults(object: JsonObject): JsonObject {
  return mapped(object, "spec", (spec) => ({
    ...over({ replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 }, withTemplate(spec)),
    strategy: rolling(objectAt(spec, "strategy"), { maxUnavailable: "25%", maxSurge: "25%" }),
  }));
}

export function replicaSetDefaults(object: JsonObject): JsonObject {
  return mapped(object, "spec", (spec) => over({ replicas: 1 }, withTemplate(spec)));
}

export function daemonSetDefaults(object: JsonObject): JsonObject {
  return mapped(object, "spec", (spec) => ({
    ...over({ revisionHistoryLimit: 10 }, withTemplate(spec)),
    updateStrategy: rolling(objectAt(spec, "updateStrategy"), { maxUnavailable: 1, maxSurge: 0 }),
  }));
}

export function statefulSetDefaults(object: JsonObject): JsonObject {
  return mapped(object, "spec", (raw) => {
    const spec = mapped(withTemplate(raw), "volumeClaimTemplates", (claim) => ({
      ...claimDefaults(claim),
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      status: { phase: "Pending" },
    }));
    return {
      ...over(
        {
          replicas: 1,
          podManagementPolicy: "OrderedReady",
          revisionHistoryLimit: 10,
          persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
        },
        spec,
      ),
      updateStrategy: rolling(objectAt(spec, "updateStrategy"), { partition: 0 }),
    };
  });
}

export function claimDefaults(object: JsonObject): JsonObject {
  return mapped(object, "spec", (spec) => over({ volumeMode: "Filesystem" }, spec));
}
