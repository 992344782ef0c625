import { messageOf } from "../../base/errors.ts";
import { isFields, records } from "../../base/json.ts";
import type { ApiClient } from "./api-client.ts";
import type { DiscoveredResource, Discovery } from "./kube.ts";
import { KubeError } from "./kube-error.ts";

type Fields = Readonly<Record<string, unknown>>;
type Found = Omit<DiscoveredResource, "preferred">;
type Failure = Discovery["failures"][number];
type Versions = { readonly found: Found[]; readonly failures: Failure[] };

const maxBytes = 64 * 1024 * 1024;
/** An aggregated API whose server is down answers 503 for as long as it is asked. */
const patienceWithGroupMs = 5_000;
const aggregated = ["v2", "v2beta1"].map(
  (version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
);
const accept = [...aggregated, "application/json"].join(",");

/**
 * Everything that the server serves, by aggregated discovery where the server has it (1.26 and later), by
 * one request per group version where it has not. A group version that cannot be read, such as that of an
 * aggregated API whose server is down, is a failure by name and does not hide the others.
 */
export async function discover(client: ApiClient, signal?: AbortSignal): Promise<Discovery> {
  const found: Found[] = [];
  const failures: Failure[] = [];
  for (const path of ["/api", "/apis"]) {
    const answer = await client.request({ method: "GET", path, accept, maxBytes, ...withSignal(signal) });
    const part =
      isFields(answer) && answer["kind"] === "APIGroupDiscoveryList"
        ? fromAggregated(answer)
        : await fromGroups(client, path, answer, signal);
    found.push(...part.found);
    failures.push(...part.failures);
  }
  return { resources: markPreferred(found), failures };
}

function fromAggregated(list: Fields): Versions {
  const found: Found[] = [];
  const failures: Failure[] = [];
  for (const group of records(list["items"])) {
    const groupName = textOf(isFields(group["metadata"]) ? group["metadata"]["name"] : "");
    for (const version of records(group["versions"])) {
      const name = textOf(version["version"]);
      const groupVersion = groupName === "" ? name : `${groupName}/${name}`;
      const stale = version["freshness"] === "Stale" ? ({ stale: true } as const) : {};
      if (stale.stale) failures.push({ groupVersion, message: "the server of this API does not answer" });
      for (const resource of records(version["resources"])) {
        const kind = isFields(resource["responseKind"]) ? textOf(resource["responseKind"]["kind"]) : "";
        const namespaced = resource["scope"] === "Namespaced";
        const plural = textOf(resource["resource"]);
        const type = { group: groupName, version: name, kind, plural, namespaced };
        found.push({ ...type, ...listsOf(resource), ...stale });
      }
    }
  }
  return { found, failures };
}

async function fromGroups(
  client: ApiClient,
  root: string,
  answer: unknown,
  signal?: AbortSignal,
): Promise<Versions> {
  const found: Found[] = [];
  const failures: Failure[] = [];
  for (const { group, version } of groupVersionsOf(isFields(answer) ? answer : {})) {
    const groupVersion = group === "" ? version : `${group}/${version}`;
    const path = `${root}/${groupVersion}`;
    try {
      const call = { method: "GET", path, maxBytes, patienceMs: patienceWithGroupMs } as const;
      const list = await client.request({ ...call, ...withSignal(signal) });
      const resources = isFields(list) ? records(list["resources"]) : [];
      found.push(...resources.flatMap((resource) => fromLegacy(resource, group, version)));
    } catch (error) {
      if (!(error instanceof KubeError) || error.reason === "Interrupted") throw error;
      failures.push({ groupVersion, message: messageOf(error) });
    }
  }
  return { found, failures };
}

/** The preferred version of each group first. */
function groupVersionsOf(answer: Fields): { group: string; version: string }[] {
  if (Array.isArray(answer["versions"])) {
    return answer["versions"].map((version) => ({ group: "", version: textOf(version) }));
  }
  return records(answer["groups"]).flatMap((group) => {
    const preferred = isFields(group["preferredVersion"]) ? textOf(group["preferredVersion"]["version"]) : "";
    const versions = records(group["versions"]).map((entry) => textOf(entry["version"]));
    const ordered = [...new Set([preferred, ...versions])].filter((version) => version !== "");
    return ordered.map((version) => ({ group: textOf(group["name"]), version }));
  });
}

function fromLegacy(resource: Fields, group: string, version: string): Found[] {
  const plural = textOf(resource["name"]);
  if (plural.includes("/")) return [];
  const kind = textOf(resource["kind"]);
  return [
    { group, version, kind, plural, namespaced: resource["namespaced"] === true, ...listsOf(resource) },
  ];
}

/** The server lists versions by its preference, so the first one that has a kind is preferred for it. */
function markPreferred(found: readonly Found[]): DiscoveredResource[] {
  const seen = new Set<string>();
  return found.map((resource) => {
    const key = `${resource.group}/${resource.plural}`;
    const preferred = !seen.has(key);
    seen.add(key);
    return { ...resource, preferred };
  });
}

function listsOf(resource: Fields): Pick<Found, "verbs" | "shortNames"> {
  return { verbs: textsOf(resource["verbs"]), shortNames: textsOf(resource["shortNames"]) };
}

function withSignal(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
