import type { RawRequest } from "../../support/raw-kube.ts";
import { path } from "./fixtures.ts";
import { crdOf } from "./widgets.ts";

/** A request that a real API server serves and the embedded server refuses by name, with 501. */
export type Limit = {
  readonly what: string;
  readonly method: "GET" | "POST" | "PATCH";
  readonly place: (namespace: string) => string;
  readonly request?: RawRequest;
};

const strategy = "Webhook";
const webhook = {
  conversionReviewVersions: ["v1"],
  clientConfig: { url: "https://hooks.example.com/convert" },
};
const converted = crdOf("converted.example.com");
const rule = { type: "object", "x-kubernetes-validations": [{ rule: "self.min <= self.max" }] };
const ruled = { schema: { openAPIV3Schema: { type: "object", properties: { spec: rule } } } };

/**
 * What the embedded server does not do. `pod` is a pod of the test, `app` a Deployment. Each is refused with
 * 501 `NotImplemented` and a message that says what to do instead.
 */
export const limits: readonly Limit[] = [
  { what: "pods/exec", method: "POST", place: (namespace) => `${path.pods(namespace, "pod")}/exec` },
  { what: "pods/attach", method: "POST", place: (namespace) => `${path.pods(namespace, "pod")}/attach` },
  {
    what: "pods/portforward",
    method: "POST",
    place: (namespace) => `${path.pods(namespace, "pod")}/portforward`,
  },
  { what: "pods/proxy", method: "GET", place: (namespace) => `${path.pods(namespace, "pod")}/proxy` },
  {
    what: "pods/log with sinceSeconds",
    method: "GET",
    place: (namespace) => `${path.pods(namespace, "pod")}/log`,
    request: { query: { sinceSeconds: "5" } },
  },
  {
    what: "server-side apply of a scale",
    method: "PATCH",
    place: (namespace) => `${path.deployments(namespace, "app")}/scale`,
    request: {
      contentType: "application/apply-patch+yaml",
      query: { fieldManager: "conformance" },
      body: { apiVersion: "autoscaling/v1", kind: "Scale", metadata: { name: "app" }, spec: { replicas: 2 } },
    },
  },
  {
    what: "conversion webhooks of CRDs",
    method: "POST",
    place: () => path.crds(),
    request: {
      body: { ...converted, spec: { ...Object(converted["spec"]), conversion: { strategy, webhook } } },
    },
  },
  {
    what: "validation rules in CEL of CRDs",
    method: "POST",
    place: () => path.crds(),
    request: { body: crdOf("ruled.example.com", ruled) },
  },
];

/** What kubectl does with those requests, and what its user reads; `pod` runs. */
export const refusedCommands: readonly (readonly [string, string])[] = [
  ["exec pod -- true", "pods/exec"],
  ["cp pod:/etc/hostname hostname", "pods/exec"],
  ["attach pod", "pods/attach"],
  ["port-forward pod :80", "pods/portforward"],
  ["logs pod --since=5s", "pods/log with sinceSeconds"],
  ["logs pod --timestamps", "pods/log with timestamps"],
  ["debug pod --image=example.com/debug:1", "pods/ephemeralcontainers"],
  ["get configmaps --as=somebody", "impersonation"],
];

/** API groups that a real API server has and the embedded server does not serve: 404 for all that is in them. */
export const absentGroups = [
  "admissionregistration.k8s.io",
  "apiregistration.k8s.io",
  "autoscaling",
  "certificates.k8s.io",
  "flowcontrol.apiserver.k8s.io",
  "resource.k8s.io",
] as const;
