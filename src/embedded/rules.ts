import { Cron } from "croner";
import type { Json, JsonObject } from "../base/json.ts";
import type { Cause } from "./failure.ts";
import type { Kind } from "./kinds.ts";
import { missing, wrong } from "./schema/validate.ts";
import { at, equal, isObject, listAt, numberAt, objectAt, textAt, textsAt, without } from "./value.ts";

/** Rules that no schema says: names, labels, and what may not change. */

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const subdomainText =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const labelText =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const serviceText =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const key =
  /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const labelValue = /^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/;

/** Names of these kinds are path segments and nothing more (`system:node`). */
const freelyNamed = "rbac.authorization.k8s.io";

function nameCauses(kind: Kind, name: string): Cause[] {
  const field = "metadata.name";
  if (name === "") {
    return [{ ...missing(field), message: "Required value: name or generateName is required" }];
  }
  if (kind.group === freelyNamed) {
    return name === "." || name === ".." || /[/%]/.test(name)
      ? [wrong(field, name, "may not be '.' or '..', nor contain '/' or '%'")]
      : [];
  }
  if (kind.resource === "/services" && (!/^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(name) || name.length > 63)) {
    return [wrong(field, name, serviceText)];
  }
  if (kind.resource === "/namespaces" && !label.test(name)) return [wrong(field, name, labelText)];
  if (!subdomain.test(name)) return [wrong(field, name, subdomainText)];
  const longest = kind.resource === "/namespaces" ? 63 : kind.resource === "batch/cronjobs" ? 52 : 253;
  return name.length > longest ? [wrong(field, name, `must be no more than ${longest} characters`)] : [];
}

/** What is wrong with an object's metadata. */
export function metadataCauses(kind: Kind, object: JsonObject): readonly Cause[] {
  const out = nameCauses(kind, textAt(object, "metadata", "name"));
  for (const [name, value] of Object.entries(objectAt(object, "metadata", "labels"))) {
    if (!key.test(name))
      out.push(
        wrong(
          "metadata.labels",
          name,
          "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
        ),
      );
    if (typeof value === "string" && !labelValue.test(value)) {
      out.push(
        wrong(
          "metadata.labels",
          value,
          "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
        ),
      );
    }
  }
  let size = 0;
  for (const [name, value] of Object.entries(objectAt(object, "metadata", "annotations"))) {
    size += name.length + String(value).length;
    if (!key.test(name.toLowerCase())) out.push(wrong("metadata.annotations", name, "is no qualified name"));
  }
  if (size > 256 * 1024) {
    out.push({
      reason: "FieldValueTooLong",
      message: "Too long: may not be more than 262144 bytes",
      field: "metadata.annotations",
    });
  }
  for (const [index, owner] of listAt(object, "metadata", "ownerReferences").entries()) {
    for (const field of ["apiVersion", "kind", "name", "uid"]) {
      if (textAt(owner, field) !== "") continue;
      const cause = wrong(
        `metadata.ownerReferences[${index}].${field}`,
        textAt(owner, field),
        "must not be empty",
      );
      out.push(cause);
    }
  }
  const controllers = listAt(object, "metadata", "ownerReferences").filter(
    (owner) => at(owner, "controller") === true,
  );
  if (controllers.length > 1) {
    out.push(
      wrong(
        "metadata.ownerReferences",
        [...listAt(object, "metadata", "ownerReferences")],
        "Only one reference can have Controller set to true",
      ),
    );
  }
  return out;
}

/** Fields that stay as they were created. */
const fixed: Readonly<Record<string, readonly string[]>> = {
  "apps/deployments": ["spec.selector"],
  "apps/daemonsets": ["spec.selector"],
  "apps/replicasets": ["spec.selector"],
  "batch/jobs": ["spec.selector", "spec.completionMode", "spec.template"],
  "storage.k8s.io/storageclasses": ["provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"],
  "rbac.authorization.k8s.io/rolebindings": ["roleRef"],
  "rbac.authorization.k8s.io/clusterrolebindings": ["roleRef"],
  "/secrets": ["type"],
  "apiextensions.k8s.io/customresourcedefinitions": [
    "spec.group",
    "spec.scope",
    "spec.names.kind",
    "spec.names.plural",
  ],
};
const changeable: Readonly<Record<string, readonly string[]>> = {
  "apps/statefulsets": [
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
  ],
  "/persistentvolumeclaims": ["resources", "volumeName", "storageClassName", "volumeAttributesClassName"],
};

const frozenText: Readonly<Record<string, string>> = {
  "apps/statefulsets":
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
  "/persistentvolumeclaims":
    "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims",
  "/pods":
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
};

export function changeCauses(kind: Kind, before: JsonObject, after: JsonObject): readonly Cause[] {
  const out: Cause[] = [];
  for (const path of fixed[kind.resource] ?? []) {
    const was = at(before, ...path.split("."));
    const is = at(after, ...path.split("."));
    if (was !== undefined && !equal(was, is)) out.push(wrong(path, is ?? null, "field is immutable"));
  }
  const free = changeable[kind.resource];
  if (free !== undefined) {
    const names = new Set([
      ...Object.keys(objectAt(before, "spec")),
      ...Object.keys(objectAt(after, "spec")),
    ]);
    const changed = [...names].filter((name) => !equal(at(before, "spec", name), at(after, "spec", name)));
    if (changed.some((name) => !free.includes(name))) {
      out.push({
        reason: "FieldValueForbidden",
        message: `Forbidden: ${frozenText[kind.resource] ?? ""}`,
        field: "spec",
      });
    }
  }
  if (kind.resource === "/pods") out.push(...podCauses(before, after));
  if (at(before, "immutable") === true) out.push(...frozenCauses(before, after));
  if (textAt(before, "metadata", "deletionTimestamp") !== "") {
    const known = textsAt(before, "metadata", "finalizers");
    const added = textsAt(after, "metadata", "finalizers").filter((name) => !known.includes(name));
    if (added.length > 0) {
      out.push({
        reason: "FieldValueForbidden",
        message: `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((name) => JSON.stringify(name)).join(", ")}}`,
        field: "metadata.finalizers",
      });
    }
  }
  return out;
}

/** A pod's spec is fixed but for images, two times and more tolerations; a node it gets once, by its binding. */
function podCauses(before: JsonObject, after: JsonObject): Cause[] {
  const free = [
    "activeDeadlineSeconds",
    "terminationGracePeriodSeconds",
    "tolerations",
    "ephemeralContainers",
  ];
  if (textAt(before, "spec", "nodeName") === "") free.push("nodeName");
  const fixedPart = (pod: JsonObject): JsonObject => {
    const spec: Record<string, Json> = { ...without(objectAt(pod, "spec"), ...free) };
    for (const field of ["containers", "initContainers"]) {
      spec[field] = listAt(spec, field).map((one) => (isObject(one) ? without(one, "image") : one));
    }
    return spec;
  };
  const tolerations = listAt(after, "spec", "tolerations");
  const kept = listAt(before, "spec", "tolerations").every((was) => tolerations.some((is) => equal(was, is)));
  if (kept && equal(fixedPart(before), fixedPart(after))) return [];
  return [{ reason: "FieldValueForbidden", message: `Forbidden: ${frozenText["/pods"]}`, field: "spec" }];
}

/** Of ConfigMaps and Secrets that are `immutable`. */
function frozenCauses(before: JsonObject, after: JsonObject): Cause[] {
  return ["immutable", "data", "binaryData"]
    .filter((field) => !equal(before[field] ?? {}, after[field] ?? {}))
    .map((field) => ({
      reason: "FieldValueForbidden",
      message: "Forbidden: field is immutable when `immutable` is set",
      field,
    }));
}

/** Counts and times that are never negative. */
const counts: Readonly<Record<string, readonly string[]>> = {
  "apps/deployments": ["replicas", "revisionHistoryLimit", "progressDeadlineSeconds", "minReadySeconds"],
  "apps/replicasets": ["replicas", "minReadySeconds"],
  "apps/statefulsets": ["replicas", "revisionHistoryLimit", "minReadySeconds"],
  "apps/daemonsets": ["revisionHistoryLimit", "minReadySeconds"],
  "batch/jobs": [
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
  ],
  "batch/cronjobs": ["startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"],
  "/replicationcontrollers": ["replicas"],
};

/** Rules of single kinds. */
export function kindCauses(kind: Kind, object: JsonObject): readonly Cause[] {
  const negative = (counts[kind.resource] ?? []).filter(
    (field) => (numberAt(object, "spec", field) ?? 0) < 0,
  );
  return [
    ...negative.map((field) =>
      wrong(`spec.${field}`, at(object, "spec", field) ?? null, "must be greater than or equal to 0"),
    ),
    ...ownCauses(kind, object),
  ];
}

function ownCauses(kind: Kind, object: JsonObject): readonly Cause[] {
  switch (kind.resource) {
    case "/configmaps":
    case "/secrets":
      return dataCauses(object);
    case "batch/jobs":
      return restartCauses(textAt(object, "spec", "template", "spec", "restartPolicy"), "spec.template.spec");
    case "batch/cronjobs": {
      const policy = textAt(object, "spec", "jobTemplate", "spec", "template", "spec", "restartPolicy");
      return [...scheduleCauses(object), ...restartCauses(policy, "spec.jobTemplate.spec.template.spec")];
    }
    case "apps/deployments":
    case "apps/replicasets":
    case "apps/daemonsets":
    case "apps/statefulsets":
      return selectorCauses(object);
    default:
      return [];
  }
}

/** Five fields, or a word like @daily; the time zone has a field of its own. */
function scheduleCauses(object: JsonObject): Cause[] {
  const out: Cause[] = [];
  const schedule = textAt(object, "spec", "schedule");
  const fields = schedule.trim().split(/\s+/);
  const word = /^@(yearly|annually|monthly|weekly|daily|midnight|hourly|every [0-9.hmsuµn]+)$/.test(schedule);
  if (schedule === "") out.push(missing("spec.schedule"));
  else if (!word && fields.length !== 5) {
    const why = `expected exactly 5 fields, found ${fields.length}: [${fields.join(" ")}]`;
    out.push(wrong("spec.schedule", schedule, why));
  } else if (!word && !parses(() => new Cron(schedule, { paused: true }))) {
    out.push(wrong("spec.schedule", schedule, "is no cron schedule of five fields"));
  }
  const zone = textAt(object, "spec", "timeZone");
  if (zone !== "" && !parses(() => new Intl.DateTimeFormat("en", { timeZone: zone }))) {
    out.push(wrong("spec.timeZone", zone, `unknown time zone ${zone}`));
  }
  return out;
}

function parses(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch {
    return false;
  }
}

function restartCauses(policy: string, field: string): Cause[] {
  if (policy !== "Always") return [];
  const message = 'Required value: valid values: "OnFailure", "Never"';
  return [{ reason: "FieldValueRequired", message, field: `${field}.restartPolicy` }];
}

function selectorCauses(object: JsonObject): Cause[] {
  const labels = objectAt(object, "spec", "template", "metadata", "labels");
  const wanted = objectAt(object, "spec", "selector", "matchLabels");
  const fits = Object.entries(wanted).every(([name, value]) => labels[name] === value);
  if (fits) return [];
  return [wrong("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")];
}

function dataCauses(object: JsonObject): Cause[] {
  const out: Cause[] = [];
  let size = 0;
  for (const field of ["data", "binaryData"]) {
    const values = object[field];
    if (!isObject(values)) continue;
    for (const [name, value] of Object.entries(values)) {
      size += String(value).length;
      if (!/^[-._a-zA-Z0-9]{1,253}$/.test(name)) {
        out.push(
          wrong(
            `${field}[${name}]`,
            name,
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
          ),
        );
      }
    }
  }
  // Base64 is a third longer than the bytes that count.
  if (size > (1 << 20) * 1.4) {
    out.push({
      reason: "FieldValueTooLong",
      message: "Too long: may not be more than 1048576 bytes",
      field: "data",
    });
  }
  return out;
}
