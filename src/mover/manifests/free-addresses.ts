import { groupOf, type KubeObject } from "../../api/meta.ts";
import { isFields } from "../../base/json.ts";
import { KubeError } from "../../ports/kube/kube-error.ts";
import {
  type Fields,
  fieldAt,
  fieldsAt,
  listAt,
  textAt,
  withField,
  withoutField,
} from "../storage/fields.ts";

type Freed = { readonly object: KubeObject; readonly note: string };

/**
 * Sends a Service and lets go of what the server refuses because it is taken or not of this cluster: IP families, the
 * cluster IP, those node ports. The server gives new ones, and the notes say which.
 */
export async function withFreeAddresses<Answer>(
  object: KubeObject,
  send: (object: KubeObject) => Promise<Answer>,
): Promise<{ readonly answer: Answer; readonly notes: readonly string[] }> {
  const notes: string[] = [];
  let current = object;
  for (;;) {
    try {
      return { answer: await send(current), notes };
    } catch (thrown) {
      const freed = thrown instanceof KubeError ? letGo(current, thrown) : undefined;
      if (freed === undefined) throw thrown;
      current = freed.object;
      notes.push(freed.note);
    }
  }
}

/** Undefined when the refusal is about something else, or there is nothing to let go. */
export function letGo(object: KubeObject, refusal: KubeError): Freed | undefined {
  if (object.kind !== "Service" || groupOf(object.apiVersion) !== "") return undefined;
  const refused = (refusal.details.causes ?? []).flatMap(({ field }) => field ?? []);
  return (
    freeFamilies(object, refused) ??
    freeAddress(object, refused) ??
    freePorts(object, refused) ??
    freeHealthCheck(object, refusal, refused)
  );
}

function freeAddress(object: KubeObject, refused: readonly string[]): Freed | undefined {
  const address = textAt(object, "spec", "clusterIP");
  if (address === undefined || address === "None") return undefined;
  if (!refused.some((field) => field.startsWith("spec.clusterIP"))) return undefined;
  const spec = withoutField(withoutField(fieldsAt(object, "spec"), "clusterIP"), "clusterIPs");
  return { object: { ...object, spec }, note: `new cluster IP instead of ${address}` };
}

/** IPv6, or both families, where the cluster has IPv4 alone; addresses go with their families. */
function freeFamilies(object: KubeObject, refused: readonly string[]): Freed | undefined {
  if (!refused.some((field) => field.startsWith("spec.ipFamil"))) return undefined;
  const before = fieldsAt(object, "spec");
  const address = textAt(before, "clusterIP");
  const names = ["ipFamilies", "ipFamilyPolicy", ...(address === "None" ? [] : ["clusterIP", "clusterIPs"])];
  const spec = names.reduce<Fields>((left, name) => withoutField(left, name), before);
  if (spec === before) return undefined;
  const families = listAt(before, "ipFamilies").join(" and ") || "those of the dump";
  return { object: { ...object, spec }, note: `IP families of this cluster instead of ${families}` };
}

function freePorts(object: KubeObject, refused: readonly string[]): Freed | undefined {
  const ports = listAt(object, "spec", "ports");
  const taken = ports.filter(
    (port, index) =>
      refused.includes(`spec.ports[${index}].nodePort`) && fieldAt(port, "nodePort") !== undefined,
  );
  if (taken.length === 0) return undefined;
  const free = ports.map((port) =>
    isFields(port) && taken.includes(port) ? withoutField(port, "nodePort") : port,
  );
  const numbers = taken.map((port) => String(fieldAt(port, "nodePort"))).join(", ");
  return {
    object: { ...object, spec: withField(fieldsAt(object, "spec"), ["ports"], free) },
    note: `new node port instead of ${numbers}`,
  };
}

/** The server names no field when this one is taken. */
function freeHealthCheck(
  object: KubeObject,
  refusal: KubeError,
  refused: readonly string[],
): Freed | undefined {
  const port = fieldAt(object, "spec", "healthCheckNodePort");
  const named =
    refused.includes("spec.healthCheckNodePort") || /health ?check ?node ?port/i.test(refusal.message);
  if (port === undefined || !named) return undefined;
  const spec = withoutField(fieldsAt(object, "spec"), "healthCheckNodePort");
  return { object: { ...object, spec }, note: `new health check node port instead of ${String(port)}` };
}
