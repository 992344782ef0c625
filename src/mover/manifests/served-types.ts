import { builtIn } from "../../api/built-in.ts";
import { apiVersionOf, groupOf, type KubeObject } from "../../api/meta.ts";
import type { Clock } from "../../base/clock.ts";
import { records } from "../../base/json.ts";
import type { DiscoveredResource, Discovery, Kube } from "../../ports/kube/kube.ts";
import { KubeError } from "../../ports/kube/kube-error.ts";
import { fieldAt, listAt, textAt } from "../storage/fields.ts";
import { groupResourceName } from "./manifest-filter.ts";

/** With the name of its folder. */
export type ServedType = DiscoveredResource & {
  readonly type: string;
  /** True for what a dry run takes as served because its CustomResourceDefinition would come. */
  readonly assumed?: boolean;
};

/** What the cluster serves, by group-resource name; read again when types come during a restore. */
export type ServedTypes = {
  /** The version of the file when it is served, otherwise the server's preferred one. */
  find(type: string, apiVersion: string): ServedType | undefined;
  /** The group version that could not be read and would serve the file, or may serve a type that nothing else does. */
  broken(type: string, apiVersion: string): Failure | undefined;
  /** The types of a kind, whatever the version: namespaced ones first. */
  ofKind(apiVersion: string, kind: string): readonly ServedType[];
  refresh(): Promise<void>;
  /**
   * Waits until CustomResourceDefinitions are established and what they serve can be asked for, at most 30 s.
   * Answers the names of those that are not.
   */
  arrive(crds: readonly KubeObject[]): Promise<readonly string[]>;
  /** For a dry run: takes what they would serve as served. */
  assume(crds: readonly KubeObject[]): void;
};

type Look = { readonly crd: KubeObject; readonly established: boolean };
type Failure = Discovery["failures"][number];
type Served = {
  readonly types: ReadonlyMap<string, readonly ServedType[]>;
  readonly failures: readonly Failure[];
};

const waitMs = 30_000;
const pollMs = 500;

export async function readServedTypes(kube: Kube, clock: Clock, signal: AbortSignal): Promise<ServedTypes> {
  let served = await read(kube, signal);
  const assumed: ServedType[] = [];
  const versionsOf = (name: string) => [
    ...(served.types.get(name) ?? []),
    ...assumed.filter(({ type }) => type === name),
  ];
  const refresh = async () => {
    served = await read(kube, signal);
  };
  const serves = (type: string, apiVersion: string) =>
    versionsOf(type).some((one) => apiVersionOf(one) === apiVersion);
  /** An account that may not read them, or a server that does not answer, says as little as a new one. */
  const look = async (crd: KubeObject): Promise<Look> => {
    const { name } = crd.metadata;
    const live = await kube.get(builtIn.CustomResourceDefinition, { name }, signal).catch(unlessStopped);
    return { crd: live ?? crd, established: live === undefined || hasCondition(live, "Established", "True") };
  };
  const isServed = ({ crd, established }: Look) =>
    established && servedVersions(crd).every((version) => serves(crd.metadata.name, version));
  return {
    find(type, apiVersion) {
      const versions = versionsOf(type);
      return (
        versions.find((one) => apiVersionOf(one) === apiVersion) ??
        versions.find((one) => one.preferred) ??
        versions[0]
      );
    },
    broken(type, apiVersion) {
      if (serves(type, apiVersion)) return undefined;
      const own = served.failures.find(({ groupVersion }) => groupVersion === apiVersion);
      if (own !== undefined || versionsOf(type).length > 0) return own;
      return served.failures.find(({ groupVersion }) => groupOf(groupVersion) === groupOf(apiVersion));
    },
    ofKind(apiVersion, kind) {
      const group = groupOf(apiVersion);
      const found = [...served.types.values()].flatMap(
        (versions) => versions.find((one) => one.group === group && one.kind === kind) ?? [],
      );
      return found.toSorted((a, b) => Number(b.namespaced) - Number(a.namespaced));
    },
    refresh,
    assume: (crds) => void assumed.push(...crds.flatMap(typesOf)),
    async arrive(crds) {
      const until = clock.now() + waitMs;
      let left: readonly Look[] = crds.map((crd) => ({ crd, established: false }));
      for (;;) {
        const looks: Look[] = [];
        for (const { crd } of left) looks.push(await look(crd));
        const missing = looks.some((one) => one.established && !isServed(one));
        if (missing) await refresh().catch(unlessStopped);
        left = looks.filter((one) => !isServed(one));
        const hopeless = left.every(({ crd }) => hasCondition(crd, "NamesAccepted", "False"));
        if (hopeless || clock.now() >= until) return left.map(({ crd }) => crd.metadata.name);
        await clock.sleep(pollMs, signal);
        signal.throwIfAborted();
      }
    },
  };
}

function unlessStopped(thrown: unknown): undefined {
  if (!(thrown instanceof KubeError) || thrown.reason === "Interrupted") throw thrown;
}

async function read(kube: Kube, signal: AbortSignal): Promise<Served> {
  const { resources, failures } = await kube.discover(signal);
  const types = resources.map((resource) => ({ ...resource, type: groupResourceName(resource) }));
  return { types: Map.groupBy(types, ({ type }) => type), failures };
}

/** As apiVersions. */
function servedVersions(crd: KubeObject): readonly string[] {
  return typesOf(crd).map(apiVersionOf);
}

function typesOf(crd: KubeObject): readonly ServedType[] {
  const group = textAt(crd, "spec", "group") ?? "";
  const plural = textAt(crd, "spec", "names", "plural") ?? "";
  const kind = textAt(crd, "spec", "names", "kind") ?? "";
  const namespaced = fieldAt(crd, "spec", "scope") === "Namespaced";
  return records(listAt(crd, "spec", "versions"))
    .filter((version) => version["served"] === true)
    .map((version) => ({
      group,
      version: String(version["name"]),
      kind,
      plural,
      namespaced,
      type: groupResourceName({ group, plural }),
      verbs: ["create"],
      shortNames: [],
      preferred: false,
      assumed: true,
    }));
}

function hasCondition(crd: KubeObject, type: string, status: string): boolean {
  return listAt(crd, "status", "conditions").some(
    (condition) => fieldAt(condition, "type") === type && fieldAt(condition, "status") === status,
  );
}
