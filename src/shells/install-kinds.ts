import { readdir, readFile } from "node:fs/promises";
import { loadAll } from "js-yaml";
import { builtIn } from "../api/built-in.ts";
import { findKind } from "../api/kinds.ts";
import { apiVersionOf, type KubeObject, type Resource } from "../api/meta.ts";
import type { Clock } from "../base/clock.ts";
import { HoldfastError } from "../base/errors.ts";
import type { Kube } from "../ports/kube/kube.ts";

const schemas = new URL("../../schemas/", import.meta.url);

/** Applies the CRDs, then the roles of the Jobs and the catalogue of Addons and Functions, as schemas/ holds them. */
export async function installKinds(kube: Kube, clock: Clock, signal: AbortSignal): Promise<void> {
  const crds = await objectsIn("crds");
  for (const crd of crds) await apply(kube, crd, signal);
  for (const crd of crds) await established(kube, crd.metadata.name, { clock, signal });
  for (const object of [...(await objectsIn("rbac")), ...(await objectsIn("catalogue"))])
    await apply(kube, object, signal);
}

async function apply(kube: Kube, object: KubeObject, signal: AbortSignal): Promise<void> {
  await kube.apply(resourceFor(object), object, { manager: "holdfast-install", force: true, signal });
}

async function established(
  kube: Kube,
  name: string,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const crd = await kube.get(builtIn.CustomResourceDefinition, { name }, signal);
    if (isEstablished(crd)) return;
    await clock.sleep(100, signal);
  }
  throw new HoldfastError(
    "KindNotEstablished",
    `CustomResourceDefinition ${name} was not established in 10 s`,
    {
      disposition: "retry",
      next: `look at kubectl describe crd ${name}`,
    },
  );
}

function isEstablished(crd: KubeObject | undefined): boolean {
  const status = crd?.["status"];
  if (
    typeof status !== "object" ||
    status === null ||
    !("conditions" in status) ||
    !Array.isArray(status.conditions)
  )
    return false;
  return status.conditions.some((one) => one.type === "Established" && one.status === "True");
}

async function objectsIn(folder: string): Promise<readonly KubeObject[]> {
  const directory = new URL(`${folder}/`, schemas);
  const names = (await readdir(directory)).filter((name) => name.endsWith(".yaml")).sort();
  const texts = await Promise.all(names.map((name) => readFile(new URL(name, directory), "utf8")));
  return texts.flatMap((text) => loadAll(text) as KubeObject[]).filter((object) => object !== null);
}

function resourceFor(object: KubeObject): Resource {
  const known =
    findKind(object)?.resource ??
    Object.values(builtIn).find((one) => one.kind === object.kind && apiVersionOf(one) === object.apiVersion);
  if (known !== undefined) return known;
  throw new HoldfastError("UnknownKind", `schemas/ holds a ${object.kind} of ${object.apiVersion}`, {
    disposition: "bug",
  });
}
