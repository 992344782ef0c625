import { choice, flag, integer, list, map, object, openObject, optional, passedOn, text } from "./schema.ts";

/** Pieces of core/v1 that KubeStash's kinds carry; what Holdfast hands on unread stays open. */

export function environmentVariable() {
  return object(
    {
      name: text("Name of the variable."),
      value: optional(text("Its value.")),
      valueFrom: optional(passedOn("core/v1 EnvVarSource", "Where the value comes from.")),
    },
    "One variable.",
  );
}

export function volume() {
  return openObject({ name: text("Name of the volume.") }, "core/v1 Volume", "One volume.");
}

export function volumeMount() {
  return object(
    {
      name: text("Name of the volume."),
      mountPath: text("Path in the container."),
      subPath: optional(text("Path in the volume.")),
      subPathExpr: optional(text("The same, with `$(VARIABLE)`s.")),
      readOnly: optional(flag("Whether the container may not write.")),
      recursiveReadOnly: optional(text("Whether that holds for mounts below it.")),
      mountPropagation: optional(text("How later mounts spread.")),
    },
    "One mount.",
  );
}

export function volumeClaimTemplate(description: string) {
  return object(
    {
      metadata: optional(
        object(
          {
            name: optional(text("Name of the claim; may hold `${POD_ORDINAL}`.")),
            namespace: optional(text("Namespace of the claim.")),
            labels: optional(map(text("Value."), "Labels of the claim.")),
            annotations: optional(map(text("Value."), "Annotations of the claim.")),
          },
          "Name and labels of the claim.",
        ),
      ),
      spec: optional(passedOn("core/v1 PersistentVolumeClaimSpec", "What the claim asks for.")),
    },
    description,
  );
}

const volumeSources = [
  "awsElasticBlockStore",
  "azureDisk",
  "azureFile",
  "cephfs",
  "cinder",
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "fc",
  "flexVolume",
  "flocker",
  "gcePersistentDisk",
  "gitRepo",
  "glusterfs",
  "image",
  "iscsi",
  "photonPersistentDisk",
  "portworxVolume",
  "projected",
  "quobyte",
  "rbd",
  "scaleIO",
  "secret",
  "storageos",
  "vsphereVolume",
] as const;

/** The fields of core/v1 VolumeSource, for kinds that have them inline. */
export function volumeSourceFields() {
  const others: Record<string, ReturnType<typeof anySource>> = {};
  for (const name of volumeSources) others[name] = anySource(name);
  return {
    hostPath: optional(
      object(
        { path: text("Directory on the node."), type: optional(text("What must be there already.")) },
        "A directory of the node.",
      ),
    ),
    nfs: optional(
      object(
        {
          server: text("Host name or address of the NFS server."),
          path: text("Exported path."),
          readOnly: optional(flag("Mount it read-only.")),
        },
        "An NFS export.",
      ),
    ),
    persistentVolumeClaim: optional(
      object(
        {
          claimName: text("Name of the PersistentVolumeClaim."),
          readOnly: optional(flag("Mount it read-only.")),
        },
        "A PersistentVolumeClaim of the same namespace.",
      ),
    ),
    ...others,
  };
}

function anySource(name: string) {
  return optional(passedOn(`core/v1 VolumeSource ${name}`, `The volume source ${name}.`));
}

const probe = (description: string) => optional(passedOn("core/v1 Probe", description));

/** Settings of the containers that do the work. */
export function containerRuntimeSettings(description: string) {
  return object(
    {
      resources: optional(passedOn("core/v1 ResourceRequirements", "CPU and memory.")),
      livenessProbe: probe("When the container is restarted."),
      readinessProbe: probe("When the container is ready."),
      lifecycle: optional(passedOn("core/v1 Lifecycle", "What runs at start and stop.")),
      securityContext: optional(passedOn("core/v1 SecurityContext", "User, groups and capabilities.")),
      nice: optional(
        object({ adjustment: optional(integer("Added to the niceness.")) }, "CPU priority of the process."),
      ),
      ionice: optional(
        object(
          {
            class: optional(integer("Scheduling class.")),
            classData: optional(integer("Priority inside the class.")),
          },
          "I/O priority of the process.",
        ),
      ),
      envFrom: optional(list(passedOn("core/v1 EnvFromSource", "One source."), "Sources of more variables.")),
      env: optional(list(environmentVariable(), "More variables.")),
    },
    description,
  );
}

const podFields = {
  serviceAccountName: optional(text("ServiceAccount of the pod.")),
  nodeSelector: optional(map(text("Value."), "Labels of the nodes that may run it.")),
  securityContext: optional(passedOn("core/v1 PodSecurityContext", "User and groups of the pod.")),
  imagePullSecrets: optional(
    list(object({ name: optional(text("Name of the Secret.")) }, "One Secret."), "Secrets to pull images."),
  ),
  affinity: optional(passedOn("core/v1 Affinity", "Near and away from what it runs.")),
  schedulerName: optional(text("Scheduler of the pod.")),
  tolerations: optional(list(passedOn("core/v1 Toleration", "One toleration."), "Taints that it bears.")),
  priorityClassName: optional(text("PriorityClass of the pod.")),
  priority: optional(integer("Priority of the pod.")),
  readinessGates: optional(
    list(passedOn("core/v1 PodReadinessGate", "One gate."), "Conditions that it needs to be ready."),
  ),
  runtimeClassName: optional(text("RuntimeClass of the pod.")),
  enableServiceLinks: optional(flag("Whether Services are put into the environment.")),
  topologySpreadConstraints: optional(
    list(passedOn("core/v1 TopologySpreadConstraint", "One constraint."), "How pods spread."),
  ),
} as const;

/** Pod and container settings of Jobs that work for a BackupStorage. */
export function runtimeSettings(description: string) {
  const pod = object(
    {
      podLabels: optional(map(text("Value."), "Labels of the pod.")),
      podAnnotations: optional(map(text("Value."), "Annotations of the pod.")),
      serviceAccountAnnotations: optional(map(text("Value."), "Annotations of the ServiceAccount.")),
      automountServiceAccountToken: optional(flag("Whether the token is mounted.")),
      nodeName: optional(text("Node that must run it.")),
      ...podFields,
    },
    "Settings of the pod.",
  );
  const container = containerRuntimeSettings("Settings of the container.");
  return object({ pod: optional(pod), container: optional(container) }, description);
}

const metadataPart = (description: string) =>
  object(
    {
      labels: optional(map(text("Value."), "Labels.")),
      annotations: optional(map(text("Value."), "Annotations.")),
    },
    description,
  );

/** A pod template in the form that AppsCode's kinds share: metadata of the pod, of its controller, and the pod's spec. */
export function podTemplate(description: string) {
  const spec = openObject(
    {
      ...podFields,
      volumes: optional(list(volume(), "More volumes.")),
      initContainers: optional(
        list(passedOn("core/v1 Container", "One container."), "Containers that run first."),
      ),
      containers: optional(
        list(passedOn("core/v1 Container", "One container."), "Containers to merge by name."),
      ),
      restartPolicy: optional(choice(["Always", "OnFailure", "Never"], "When containers are restarted.")),
      terminationGracePeriodSeconds: optional(
        integer("Seconds between TERM and KILL.", { format: "int64", minimum: 0 }),
      ),
      activeDeadlineSeconds: optional(
        integer("Seconds that the pod may run.", { format: "int64", minimum: 0 }),
      ),
      dnsPolicy: optional(text("Where names are looked up.")),
      dnsConfig: optional(passedOn("core/v1 PodDNSConfig", "How names are looked up.")),
      hostNetwork: optional(flag("Use the node's network.")),
      hostPID: optional(flag("Use the node's processes.")),
      hostIPC: optional(flag("Use the node's IPC.")),
      shareProcessNamespace: optional(flag("Containers see each other's processes.")),
    },
    "core/v1 PodSpec",
    "Settings of the pod.",
  );
  return object(
    {
      metadata: optional(metadataPart("Metadata of the pod.")),
      controller: optional(metadataPart("Metadata of the Job.")),
      spec: optional(spec),
    },
    description,
  );
}
