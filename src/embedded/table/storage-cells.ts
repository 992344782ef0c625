import type { Json, JsonObject } from "../../base/json.ts";
import { at, listAt, objectAt, textAt, textsAt } from "../value.ts";
import { ageOf, type Cells, name, or, unset } from "./cell-text.ts";

const modes: Readonly<Record<string, string>> = {
  ReadWriteOnce: "RWO",
  ReadOnlyMany: "ROX",
  ReadWriteMany: "RWX",
  ReadWriteOncePod: "RWOP",
};

const accessModes = (list: readonly string[]) => list.map((mode) => modes[mode] ?? mode).join(",");

function claim(object: JsonObject, now: number): readonly Json[] {
  const deleting = textAt(object, "metadata", "deletionTimestamp") !== "";
  const bound = textAt(object, "spec", "volumeName") !== "";
  return [
    name(object),
    deleting ? "Terminating" : textAt(object, "status", "phase"),
    textAt(object, "spec", "volumeName"),
    bound ? textAt(object, "status", "capacity", "storage") : "",
    bound ? accessModes(textsAt(object, "status", "accessModes")) : "",
    textAt(object, "spec", "storageClassName"),
    or(textAt(object, "spec", "volumeAttributesClassName"), unset),
    ageOf(object, now),
    textAt(object, "spec", "volumeMode"),
  ];
}

function volume(object: JsonObject, now: number): readonly Json[] {
  const ref = objectAt(object, "spec", "claimRef");
  const deleting = textAt(object, "metadata", "deletionTimestamp") !== "";
  return [
    name(object),
    textAt(object, "spec", "capacity", "storage"),
    accessModes(textsAt(object, "spec", "accessModes")),
    textAt(object, "spec", "persistentVolumeReclaimPolicy"),
    deleting ? "Terminating" : textAt(object, "status", "phase"),
    textAt(ref, "name") === "" ? "" : `${textAt(ref, "namespace")}/${textAt(ref, "name")}`,
    textAt(object, "spec", "storageClassName"),
    or(textAt(object, "spec", "volumeAttributesClassName"), unset),
    textAt(object, "status", "reason"),
    ageOf(object, now),
    textAt(object, "spec", "volumeMode"),
  ];
}

const flag = (value: Json | undefined, otherwise: boolean) =>
  typeof value === "boolean" ? value : otherwise;

function driver(object: JsonObject, now: number): readonly Json[] {
  const audiences = listAt(object, "spec", "tokenRequests").map((request) => textAt(request, "audience"));
  return [
    name(object),
    flag(at(object, "spec", "attachRequired"), true),
    flag(at(object, "spec", "podInfoOnMount"), false),
    flag(at(object, "spec", "storageCapacity"), false),
    or(audiences.join(","), unset),
    flag(at(object, "spec", "requiresRepublish"), false),
    or(textsAt(object, "spec", "volumeLifecycleModes").join(","), "<none>"),
    ageOf(object, now),
  ];
}

function isDefaultClass(object: JsonObject): boolean {
  return textAt(object, "metadata", "annotations", "storageclass.kubernetes.io/is-default-class") === "true";
}

/** Kinds that hold data, and the classes and drivers behind them. */
export const storageCells: Readonly<Record<string, Cells>> = {
  "/persistentvolumeclaims": claim,
  "/persistentvolumes": volume,
  "storage.k8s.io/storageclasses": (object, now) => [
    name(object) + (isDefaultClass(object) ? " (default)" : ""),
    textAt(object, "provisioner"),
    textAt(object, "reclaimPolicy"),
    textAt(object, "volumeBindingMode"),
    at(object, "allowVolumeExpansion") === true,
    ageOf(object, now),
  ],
  "storage.k8s.io/csidrivers": driver,
  "storage.k8s.io/csinodes": (object, now) => [
    name(object),
    listAt(object, "spec", "drivers").length,
    ageOf(object, now),
  ],
  "storage.k8s.io/csistoragecapacities": (object) => [
    name(object),
    textAt(object, "metadata", "creationTimestamp"),
  ],
  "storage.k8s.io/volumeattachments": (object, now) => [
    name(object),
    textAt(object, "spec", "attacher"),
    textAt(object, "spec", "source", "persistentVolumeName"),
    textAt(object, "spec", "nodeName"),
    at(object, "status", "attached") === true,
    ageOf(object, now),
  ],
  "storage.k8s.io/volumeattributesclasses": (object, now) => [
    name(object),
    textAt(object, "driverName"),
    ageOf(object, now),
  ],
};
