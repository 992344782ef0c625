import type { Json, JsonObject } from "../../base/json.ts";
import { listAt, numberAt, objectAt, textAt, textsAt } from "../value.ts";
import { ageOf, type Cells, name, none, or, selector, unset } from "./cell-text.ts";

/** The first three, and how many more there are. */
function few(texts: readonly string[], otherwise: string): string {
  const shown = texts.slice(0, 3).join(",");
  return texts.length > 3 ? `${shown} + ${texts.length - 3} more...` : or(shown, otherwise);
}

function endpoints(object: JsonObject, now: number): readonly Json[] {
  const places = listAt(object, "subsets").flatMap((subset) => {
    const ports = listAt(subset, "ports").map((port) => `:${numberAt(port, "port") ?? 0}`);
    const ips = listAt(subset, "addresses").map((address) => textAt(address, "ip"));
    return (ports.length === 0 ? [""] : ports).flatMap((port) => ips.map((ip) => `${ip}${port}`));
  });
  return [name(object), few(places, none), ageOf(object, now)];
}

function slices(object: JsonObject, now: number): readonly Json[] {
  const ports = listAt(object, "ports").map((port) => {
    const number = numberAt(port, "port");
    return number === undefined ? textAt(port, "name") || "*" : String(number);
  });
  const addresses = listAt(object, "endpoints").flatMap((one) => textsAt(one, "addresses"));
  return [
    name(object),
    textAt(object, "addressType"),
    few(ports, unset),
    few(addresses, unset),
    ageOf(object, now),
  ];
}

function ingress(object: JsonObject, now: number): readonly Json[] {
  const hosts = listAt(object, "spec", "rules")
    .map((rule) => textAt(rule, "host"))
    .filter((host) => host !== "");
  const places = listAt(object, "status", "loadBalancer", "ingress").map(
    (one) => textAt(one, "ip") || textAt(one, "hostname"),
  );
  return [
    name(object),
    or(textAt(object, "spec", "ingressClassName"), none),
    few(hosts, "*"),
    places.join(","),
    listAt(object, "spec", "tls").length === 0 ? "80" : "80, 443",
    ageOf(object, now),
  ];
}

function ingressClass(object: JsonObject, now: number): readonly Json[] {
  const parameters = objectAt(object, "spec", "parameters");
  const group = textAt(parameters, "apiGroup");
  const kind = `${textAt(parameters, "kind")}${group === "" ? "" : `.${group}`}`;
  return [
    name(object),
    textAt(object, "spec", "controller"),
    kind === "" ? none : `${kind}/${textAt(parameters, "name")}`,
    ageOf(object, now),
  ];
}

/** Kinds that say who reaches whom. */
export const networkCells: Readonly<Record<string, Cells>> = {
  "/endpoints": endpoints,
  "discovery.k8s.io/endpointslices": slices,
  "networking.k8s.io/ingresses": ingress,
  "networking.k8s.io/ingressclasses": ingressClass,
  "networking.k8s.io/networkpolicies": (object, now) => [
    name(object),
    selector(objectAt(object, "spec", "podSelector")),
    ageOf(object, now),
  ],
};
