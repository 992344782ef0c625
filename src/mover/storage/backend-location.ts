import { type KubeObject, nameOf, refOf } from "../../api/meta.ts";
import { HoldfastError } from "../../base/errors.ts";
import type { ObjectsLocation } from "../../ports/objects/objects.ts";
import { fieldAt, fieldsAt, textAt } from "./fields.ts";
import { folderOf } from "./folder.ts";

/** A BackupStorage with its credentials: where documents go, and how restic is told the same place. */
export type Backend = {
  readonly location: ObjectsLocation;
  readonly maxConnections: number | undefined;
};

/** What restic needs to reach a repository of a backend; the password is not part of it. */
export type ResticPlace = {
  readonly url: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly caCertificate?: string;
  readonly insecureTLS?: boolean;
  readonly maxConnections?: number;
};

export type SecretValues = Readonly<Record<string, string>>;

/** Name of the Secret with the credentials, in the BackupStorage's namespace; undefined: the pod's own identity. */
export function storageSecretName(storage: KubeObject): string | undefined {
  const provider = textAt(storage, "spec", "storage", "provider");
  return provider === "s3" ? textAt(storage, "spec", "storage", "s3", "secretName") : undefined;
}

/**
 * The place that a BackupStorage means. `root` is the directory that stands for `/` of the pod ("" in a
 * real one). Errors stall: `BackendNotSupported`, `BackendInvalid`, `BackendSecretIncomplete`.
 */
export function backendOf(storage: KubeObject, secret: SecretValues, root: string): Backend {
  const provider = textAt(storage, "spec", "storage", "provider");
  const who = nameOf(refOf(storage));
  switch (provider) {
    case "local":
      return localBackend(storage, who, root);
    case "s3":
      return s3Backend(storage, who, secret);
    case undefined:
      throw invalid(who, "names no spec.storage.provider", "Set spec.storage.provider to s3 or local.");
    default:
      throw new HoldfastError(
        "BackendNotSupported",
        `${who} has provider ${provider}, which Holdfast does not support yet`,
        {
          disposition: "stall",
          next:
            provider === "gcs"
              ? "Use provider s3 with endpoint https://storage.googleapis.com and HMAC keys, or provider local."
              : "Use provider s3 or local.",
        },
      );
  }
}

/**
 * The restic repository at `path` below the backend's prefix. Without keys in the Secret the environment stays
 * silent about the identity, and restic finds the pod's own.
 */
export function resticPlace(backend: Backend, path: string): ResticPlace {
  const { location, maxConnections } = backend;
  const connections = maxConnections === undefined ? {} : { maxConnections };
  if (location.provider === "local") {
    return { url: `${location.directory}/${path}`, environment: {}, ...connections };
  }
  const { accessKeyId, secretAccessKey, caCertificate } = location.credentials;
  const region = location.region === "" ? {} : { AWS_DEFAULT_REGION: location.region };
  const keys =
    accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  const folders = [location.bucket, location.prefix, path].filter((part) => part !== "");
  return {
    url: `s3:${location.endpoint || awsEndpoint(location.region)}/${folders.join("/").replace(/[%?#]/g, encodeURIComponent)}`,
    environment: { ...keys, ...region },
    ...(caCertificate === undefined ? {} : { caCertificate }),
    ...(location.insecureTLS ? { insecureTLS: true } : {}),
    ...connections,
  };
}

function localBackend(storage: KubeObject, who: string, root: string): Backend {
  const local = fieldsAt(storage, "spec", "storage", "local");
  const mountPath = textAt(local, "mountPath");
  if (mountPath === undefined || !mountPath.startsWith("/")) {
    throw invalid(
      who,
      "needs spec.storage.local.mountPath as an absolute path",
      "Set spec.storage.local.mountPath, for example to /backend.",
    );
  }
  const folder = folderOf(mountPath, `spec.storage.local.mountPath of ${who}`);
  if (folder === "")
    throw invalid(who, "has the mountPath /", "Choose a folder of its own, such as /backend.");
  const below = root === "/" ? "" : root.replace(/\/+$/, "");
  return {
    location: { provider: "local", directory: `${below}/${folder}` },
    maxConnections: maxConnectionsOf(local, who),
  };
}

function s3Backend(storage: KubeObject, who: string, secret: SecretValues): Backend {
  const s3 = fieldsAt(storage, "spec", "storage", "s3");
  const bucket = folderOf(textAt(s3, "bucket") ?? "", `spec.storage.s3.bucket of ${who}`);
  if (bucket === "" || bucket.includes("/")) {
    throw invalid(
      who,
      "needs spec.storage.s3.bucket as one name",
      "Set the bucket; folders go into spec.storage.s3.prefix.",
    );
  }
  const endpoint = endpointOf(textAt(s3, "endpoint") ?? "", who);
  const named = storageSecretName(storage) !== undefined;
  return {
    location: {
      provider: "s3",
      endpoint,
      bucket,
      prefix: folderOf(textAt(s3, "prefix") ?? "", `spec.storage.s3.prefix of ${who}`),
      region: textAt(s3, "region") ?? regionOf(endpoint),
      insecureTLS: fieldAt(s3, "insecureTLS") === true,
      credentials: credentialsOf(who, secret, named),
    },
    maxConnections: maxConnectionsOf(s3, who),
  };
}

/** With scheme and without a slash at its end; "" for AWS. A bare host is reached over HTTPS, as restic does. */
function endpointOf(text: string, who: string): string {
  if (text === "") return "";
  const complete = /^[a-z]+:\/\//i.test(text) ? text : `https://${text}`;
  const url = URL.canParse(complete) ? new URL(complete) : undefined;
  const plain = url !== undefined && (url.protocol === "https:" || url.protocol === "http:");
  if (!plain || url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw invalid(
      who,
      "has a spec.storage.s3.endpoint that is no address of a server",
      "Give a host or an http(s) URL without credentials, such as https://minio.example.com:9000.",
    );
  }
  if (url.pathname !== "/") {
    throw invalid(
      who,
      `has a path in spec.storage.s3.endpoint (${url.pathname})`,
      "Put the bucket into spec.storage.s3.bucket and folders into spec.storage.s3.prefix.",
    );
  }
  return `${url.protocol}//${url.host}`;
}

function regionOf(endpoint: string): string {
  return /\/\/s3[.-]([a-z0-9-]+)\.amazonaws\.com/.exec(endpoint)?.[1] ?? "";
}

function awsEndpoint(region: string): string {
  return region === "" ? "https://s3.amazonaws.com" : `https://s3.${region}.amazonaws.com`;
}

function credentialsOf(who: string, secret: SecretValues, named: boolean) {
  if (!named) return {};
  // Keys hold no white space, but a file that was made with `echo` ends with a new line.
  const accessKeyId = secret["AWS_ACCESS_KEY_ID"]?.trim();
  const secretAccessKey = secret["AWS_SECRET_ACCESS_KEY"]?.trim();
  const caCertificate = secret["CA_CERT_DATA"];
  if (secret["AWS_SESSION_TOKEN"] !== undefined) {
    throw new HoldfastError(
      "BackendSecretInvalid",
      `the storage Secret of ${who} has the key AWS_SESSION_TOKEN, which is not supported`,
      {
        disposition: "stall",
        next: "Use a long-lived key pair, or leave secretName empty and give the pod a role.",
      },
    );
  }
  if (!accessKeyId || !secretAccessKey) {
    throw new HoldfastError(
      "BackendSecretIncomplete",
      `the storage Secret of ${who} lacks ${accessKeyId ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID"}`,
      {
        disposition: "stall",
        next: "Add the key to the Secret, or leave spec.storage.s3.secretName empty to use the pod's own identity.",
      },
    );
  }
  return { accessKeyId, secretAccessKey, ...(caCertificate ? { caCertificate } : {}) };
}

function maxConnectionsOf(fields: Readonly<Record<string, unknown>>, who: string): number | undefined {
  const value = fieldAt(fields, "maxConnections");
  if (value === undefined || value === 0) return undefined;
  if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value;
  throw invalid(
    who,
    "has a maxConnections that is no positive number",
    "Set a whole number, or leave it out.",
  );
}

function invalid(who: string, what: string, next: string): HoldfastError {
  return new HoldfastError("BackendInvalid", `${who} ${what}`, { disposition: "stall", next });
}
