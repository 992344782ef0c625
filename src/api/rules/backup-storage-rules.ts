import { asRecord } from "../../base/json.ts";
import type { BackupStorage } from "../backup-storage.ts";
import { failure, invalid, required } from "../field-error.ts";
import { refOf } from "../meta.ts";
import { sameJson } from "../same-json.ts";
import type { Relation, Rule } from "./rule.ts";
import { oneDefault, selectorIsGiven } from "./shared-rules.ts";

const providers = ["local", "s3", "gcs", "azure"] as const;
const storagePath = ["spec", "storage"];

const providerIsDescribed: Rule<BackupStorage> = {
  says: "The field of spec.storage that is named like the provider must be there.",
  check: ({ spec: { storage } }) =>
    storage[storage.provider] === undefined
      ? [
          required(
            [...storagePath, storage.provider],
            `${storage.provider} is missing, and it is the provider`,
          ),
        ]
      : [],
};

const othersAreNot: Rule<BackupStorage> = {
  says: "Fields of other providers are not read.",
  check: ({ spec: { storage } }) =>
    providers
      .filter((name) => name !== storage.provider && storage[name] !== undefined)
      .map((name) => ({
        ...invalid([...storagePath, name], `is not read, because the provider is ${storage.provider}`),
        severity: "warning",
      })),
};

const endpointIsUrl: Rule<BackupStorage> = {
  says: "spec.storage.s3.endpoint is a host, with or without a port, or an http or https URL without credentials and query.",
  check: ({ spec: { storage } }) => {
    const endpoint = storage.s3?.endpoint ?? "";
    const path = [...storagePath, "s3", "endpoint"];
    if (endpoint === "") return [];
    const url = URL.parse(endpoint.includes("://") ? endpoint : `https://${endpoint}`);
    if (url === null || !["http:", "https:"].includes(url.protocol))
      return [invalid(path, "is no host and no http or https URL")];
    return url.username === "" && url.password === "" && url.search === "" && url.hash === ""
      ? []
      : [invalid(path, "must not hold credentials or a query", "Put credentials into the Secret.")];
  },
};

const localIsOneVolume: Rule<BackupStorage> = {
  says: "spec.storage.local has exactly one volume source, an absolute mountPath, and a subPath without `..`.",
  check: ({ spec: { storage } }) => {
    if (storage.local === undefined) return [];
    const { mountPath, subPath = "", maxConnections: _connections, ...sources } = storage.local;
    const path = [...storagePath, "local"];
    const given = Object.keys(sources);
    return [
      ...(given.length === 1
        ? []
        : [
            invalid(
              path,
              `must have one volume source, and has ${given.length}`,
              "Give nfs, persistentVolumeClaim or hostPath.",
            ),
          ]),
      ...(mountPath.startsWith("/") && !mountPath.split("/").includes("..")
        ? []
        : [invalid([...path, "mountPath"], "must be an absolute path without `..`")]),
      ...(subPath.startsWith("/") || subPath.split("/").includes("..")
        ? [invalid([...path, "subPath"], "must be a relative path without `..`")]
        : []),
    ];
  },
};

export const backupStorageRules = [
  providerIsDescribed,
  othersAreNot,
  endpointIsUrl,
  localIsOneVolume,
  selectorIsGiven,
] as const;

export const storageInUseIsFixed: Relation<[before: BackupStorage, after: BackupStorage]> = {
  says: "spec.storage cannot be changed while status.repositories names a Repository.",
  check: (before, after) =>
    (before.status?.repositories ?? []).length === 0 || sameJson(before.spec.storage, after.spec.storage)
      ? []
      : [
          failure(
            "Immutable",
            storagePath,
            "cannot be changed while Repositories use it",
            "Declare another BackupStorage for the other place.",
          ),
        ],
};

export const placeIsOwn: Relation<[object: BackupStorage, others: readonly BackupStorage[]]> = {
  says: "No two BackupStorages of the cluster lie at the same place, or one inside of the other: endpoint, bucket and prefix; account, container and prefix; and for volumes the server and path, the claim, or the path on the node, with the subPath.",
  check: (object, others) => {
    const place = placeOf(object);
    const other = others.find(
      (one) =>
        (one.metadata.name !== object.metadata.name ||
          one.metadata.namespace !== object.metadata.namespace) &&
        place !== undefined &&
        overlap(place, placeOf(one)),
    );
    if (other === undefined || place === undefined) return [];
    const name = `BackupStorage ${other.metadata.namespace}/${other.metadata.name}`;
    const [own, theirs] = [place.folder, placeOf(other)?.folder ?? ""];
    const lies = own === theirs ? "at the same place as" : own.startsWith(theirs) ? "inside of" : "around";
    const error = failure("Conflict", storagePath, `lies ${lies} ${name}`, "Give it a folder of its own.");
    return [{ ...error, other: refOf(other) }];
  },
};

export const backupStorageRelations = [oneDefault, storageInUseIsFixed, placeIsOwn] as const;

/** Where the data lies: what holds the folder, as a text to compare, and the folder with a `/` at its end. */
type StoragePlace = { readonly holder: string; readonly folder: string };

function overlap(a: StoragePlace, b: StoragePlace | undefined): boolean {
  if (b === undefined || a.holder !== b.holder) return false;
  return a.folder.startsWith(b.folder) || b.folder.startsWith(a.folder);
}

/** Undefined for a volume whose place its source does not tell, and for what no schema has seen and nobody can read. */
function placeOf({ metadata, spec }: BackupStorage): StoragePlace | undefined {
  const { storage } = asRecord(spec) as Partial<BackupStorage["spec"]>;
  if (!storage) return undefined;
  switch (storage.provider) {
    case "s3": {
      const { endpoint = "", bucket = "", prefix = "" } = storage.s3 ?? {};
      return placeIn(["s3", plain(String(endpoint).replace(/^https?:\/\//, "")), bucket], prefix);
    }
    case "gcs":
      return placeIn(["gcs", storage.gcs?.bucket], storage.gcs?.prefix);
    case "azure": {
      const { storageAccount = "", container = "", prefix = "" } = storage.azure ?? {};
      return placeIn(["azure", storageAccount, container], prefix);
    }
    case "local": {
      const { nfs, persistentVolumeClaim: claim, hostPath, subPath = "" } = storage.local ?? {};
      if (nfs !== undefined) return placeIn(["nfs", nfs.server], `${nfs.path}/${subPath}`);
      if (claim !== undefined) return placeIn(["claim", metadata.namespace, claim.claimName], subPath);
      return hostPath === undefined ? undefined : placeIn(["node"], `${hostPath.path}/${subPath}`);
    }
  }
}

function placeIn(holder: readonly unknown[], folder = ""): StoragePlace {
  const inside = plain(String(folder).replaceAll(/\/{2,}/g, "/"));
  return { holder: JSON.stringify(holder), folder: inside === "" ? "" : `${inside}/` };
}

function plain(text: string): string {
  return text.replaceAll(/^\/+|\/+$/g, "");
}
