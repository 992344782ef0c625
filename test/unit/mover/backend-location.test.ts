import { describe, expect, it } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { backendOf, resticPlace, storageSecretName } from "../../../src/mover/storage/backend-location.ts";

function storage(spec: Readonly<Record<string, unknown>>): KubeObject {
  return {
    apiVersion: "storage.kubestash.com/v1alpha1",
    kind: "BackupStorage",
    metadata: { name: "main", namespace: "vault" },
    spec: { storage: spec },
  };
}
const s3 = (fields: Readonly<Record<string, unknown>>) =>
  storage({ provider: "s3", s3: { bucket: "holdfast", ...fields } });
const keys = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "secret\n" };

describe("an S3 backend", () => {
  const endpoints = [
    ["", "s3:https://s3.amazonaws.com/holdfast/app/x"],
    ["minio.svc:9000", "s3:https://minio.svc:9000/holdfast/app/x"],
    ["http://minio.svc:9000", "s3:http://minio.svc:9000/holdfast/app/x"],
    ["http://minio.svc:9000/", "s3:http://minio.svc:9000/holdfast/app/x"],
    ["https://s3.eu-west-1.amazonaws.com", "s3:https://s3.eu-west-1.amazonaws.com/holdfast/app/x"],
    ["http://[::1]:9000", "s3:http://[::1]:9000/holdfast/app/x"],
  ] as const;
  it.each(endpoints)("with endpoint %j is %s for restic", (endpoint, url) => {
    expect(resticPlace(backendOf(s3({ endpoint }), {}, ""), "app/x").url).toBe(url);
  });

  it("knows AWS' regional address, and tells restic the region", () => {
    const place = resticPlace(backendOf(s3({ region: "eu-west-1" }), {}, ""), "app");
    expect(place).toEqual({
      url: "s3:https://s3.eu-west-1.amazonaws.com/holdfast/app",
      environment: { AWS_DEFAULT_REGION: "eu-west-1" },
    });
  });

  it("reads the region out of AWS' address", () => {
    const { location } = backendOf(s3({ endpoint: "s3.eu-west-1.amazonaws.com" }), {}, "");
    expect(location).toMatchObject({ region: "eu-west-1" });
  });

  it.each(["lab", "/lab/", "lab/"])("takes the prefix %j as a folder", (prefix) => {
    expect(backendOf(s3({ prefix }), {}, "").location).toMatchObject({ prefix: "lab" });
    expect(resticPlace(backendOf(s3({ prefix, endpoint: "http://m" }), {}, ""), "app").url).toBe(
      "s3:http://m/holdfast/lab/app",
    );
  });

  it("escapes what an address would take for something else", () => {
    expect(resticPlace(backendOf(s3({ endpoint: "http://m", prefix: "50%?#" }), {}, ""), "a").url).toBe(
      "s3:http://m/holdfast/50%25%3F%23/a",
    );
  });

  it("takes its keys from the Secret, and nothing else", () => {
    const named = s3({ endpoint: "http://m", secretName: "cred", insecureTLS: true, maxConnections: 7 });
    const backend = backendOf(named, { ...keys, CA_CERT_DATA: "PEM", other: "x" }, "");
    expect(storageSecretName(named)).toBe("cred");
    expect(backend.location).toMatchObject({
      insecureTLS: true,
      credentials: { accessKeyId: "id", secretAccessKey: "secret", caCertificate: "PEM" },
    });
    expect(resticPlace(backend, "app")).toEqual({
      url: "s3:http://m/holdfast/app",
      environment: { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "secret" },
      caCertificate: "PEM",
      insecureTLS: true,
      maxConnections: 7,
    });
  });

  it("without a Secret leaves the identity to the pod", () => {
    expect(storageSecretName(s3({}))).toBeUndefined();
    expect(backendOf(s3({}), {}, "").location).toMatchObject({ credentials: {} });
  });
});

describe("an S3 backend that cannot be meant", () => {
  const refused = [
    ["a half Secret", s3({ secretName: "cred" }), { AWS_ACCESS_KEY_ID: "id" }, /lacks AWS_SECRET_ACCESS_KEY/],
    ["a session token", s3({ secretName: "cred" }), { ...keys, AWS_SESSION_TOKEN: "t" }, /AWS_SESSION_TOKEN/],
    ["no bucket", s3({ bucket: "" }), {}, /needs spec.storage.s3.bucket/],
    ["folders in the bucket", s3({ bucket: "a/b" }), {}, /needs spec.storage.s3.bucket as one name/],
    [
      "a path in the endpoint",
      s3({ endpoint: "http://m/sub" }),
      {},
      /has a path in spec.storage.s3.endpoint/,
    ],
    ["credentials in the endpoint", s3({ endpoint: "http://a:b@m" }), {}, /is no address/],
    ["another scheme", s3({ endpoint: "ftp://m" }), {}, /is no address/],
    [
      "a prefix that climbs",
      s3({ prefix: "a/../b" }),
      {},
      /spec.storage.s3.prefix of .* is not a usable path/,
    ],
    ["connections that are no number", s3({ maxConnections: -1 }), {}, /maxConnections/],
  ] as const;
  it.each(refused)("refuses %s by name", (_name, given, secret, message) => {
    expect(() => backendOf(given, secret, "")).toThrow(message);
  });

  it("never shows a key in an error", () => {
    expect(() => backendOf(s3({ secretName: "c" }), { AWS_SECRET_ACCESS_KEY: "hunter2" }, "")).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining("hunter2") }),
    );
  });
});

describe("a local backend", () => {
  const local = (mountPath: unknown) =>
    storage({ provider: "local", local: { hostPath: { path: "/srv" }, mountPath } });

  it.each([
    ["", "/backend"],
    ["/", "/backend"],
    ["/run/pod-1", "/run/pod-1/backend"],
    ["/run/pod-1/", "/run/pod-1/backend"],
  ])("below the root %j is %s", (root, directory) => {
    const backend = backendOf(local("/backend/"), {}, root);
    expect(backend.location).toEqual({ provider: "local", directory });
    expect(resticPlace(backend, "app/x")).toEqual({ url: `${directory}/app/x`, environment: {} });
  });

  it.each([undefined, "", "backend", "/", "/../etc"])("refuses the mountPath %j", (mountPath) => {
    expect(() => backendOf(local(mountPath), {}, "")).toThrow(/mountPath/);
  });
});

it.each(["gcs", "azure", "swift"])("refuses the provider %s by name and says what to do", (provider) => {
  expect(() => backendOf(storage({ provider }), {}, "")).toThrow(
    expect.objectContaining({
      reason: "BackendNotSupported",
      message: expect.stringContaining(`provider ${provider}`),
      next: expect.stringContaining("Use provider s3"),
    }),
  );
});

it("refuses a storage without a provider", () => {
  expect(() => backendOf(storage({}), {}, "")).toThrow(/names no spec.storage.provider/);
});
