import { groupOf, type KubeObject } from "../../api/meta.ts";
import { isFields } from "../../base/json.ts";
import { type Fields, fieldAt, fieldsAt, withField, withoutField } from "../storage/fields.ts";

const metadataOfTheServer = [
  "creationTimestamp",
  "resourceVersion",
  "uid",
  "generateName",
  "generation",
  "managedFields",
  // Never asked for by a person, and refused or ignored by the next server.
  "selfLink",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
];

const annotationsOfControllers: ReadonlySet<string> = new Set([
  "controller-uid",
  "deployment.kubernetes.io/desired-replicas",
  "deployment.kubernetes.io/max-replicas",
  "deployment.kubernetes.io/revision",
  "pod-template-hash",
  "pv.kubernetes.io/bind-completed",
  "pv.kubernetes.io/bound-by-controller",
]);

/** Whether an annotation is what a controller noted about this very object. */
export function isOfController(annotation: string): boolean {
  return annotationsOfControllers.has(annotation) || annotation === selectedNode;
}

/** The node that a scheduler chose for a claim; the volume would be asked for there. */
export const selectedNode = "volume.kubernetes.io/selected-node";

/** Kinds with a pod template at `spec.template`, by group and kind. */
const withTemplate: ReadonlySet<string> = new Set([
  "apps/Deployment",
  "apps/StatefulSet",
  "apps/ReplicaSet",
  "apps/DaemonSet",
  "/ReplicationController",
  "batch/Job",
]);

/**
 * The object as a dump holds it: without what the server or a controller wrote and would write again.
 * Owners, status and the last applied configuration stay. Sanitising twice changes nothing.
 */
export function sanitise(object: KubeObject): KubeObject {
  const metadata = sanitiseMetadata(object.metadata);
  const clean: KubeObject = { ...object, metadata: { ...metadata, name: object.metadata.name } };
  const name = `${groupOf(object.apiVersion)}/${object.kind}`;
  const { status: _status, ...withoutStatus } = clean;
  if (name === "/Pod") return { ...clean, ...specOf(clean, sanitisePodSpec) };
  if (name === "/PersistentVolumeClaim") {
    return { ...withoutStatus, ...specOf(clean, (spec) => withoutField(spec, "volumeName")) };
  }
  return withTemplate.has(name) ? { ...clean, ...specOf(clean, sanitiseTemplate) } : clean;
}

function specOf(object: KubeObject, change: (spec: Fields) => Fields): Fields {
  const spec = object["spec"];
  return isFields(spec) ? { spec: change(spec) } : {};
}

function sanitiseTemplate(spec: Fields): Fields {
  const template = spec["template"];
  if (!isFields(template)) return spec;
  const metadata = template["metadata"];
  const clean = isFields(metadata) ? { ...template, metadata: sanitiseMetadata(metadata) } : template;
  const podSpec = clean["spec"];
  return withField(
    spec,
    ["template"],
    isFields(podSpec) ? { ...clean, spec: sanitisePodSpec(podSpec) } : clean,
  );
}

function sanitiseMetadata(metadata: Fields): Fields {
  const clean = Object.fromEntries(
    Object.entries(metadata).filter(([name]) => !metadataOfTheServer.includes(name)),
  );
  if (!isFields(clean["annotations"])) return clean;
  const kept = Object.entries(fieldsAt(clean, "annotations")).filter(
    ([name]) => !annotationsOfControllers.has(name),
  );
  return kept.length === 0
    ? withoutField(clean, "annotations")
    : { ...clean, annotations: Object.fromEntries(kept) };
}

/**
 * Without the node, and without what the server fills in when it is absent. KubeStash drops the latter whatever
 * they are; only defaults go here, because a restored workload must not lose a grace period or DNS policy.
 */
function sanitisePodSpec(spec: Fields): Fields {
  const kept = Object.entries(spec).filter(
    ([name, value]) => name !== "nodeName" && !(name in podDefaults && podDefaults[name] === value),
  );
  return ["containers", "initContainers"].reduce<Fields>((clean, list) => {
    const containers = fieldAt(clean, list);
    if (!Array.isArray(containers)) return clean;
    return { ...clean, [list]: containers.map(sanitiseContainer) };
  }, Object.fromEntries(kept));
}

const podDefaults: Fields = {
  dnsPolicy: "ClusterFirst",
  serviceAccountName: "default",
  terminationGracePeriodSeconds: 30,
};

function sanitiseContainer(container: unknown): unknown {
  if (fieldAt(container, "terminationMessagePath") !== "/dev/termination-log") return container;
  return isFields(container) ? withoutField(container, "terminationMessagePath") : container;
}
