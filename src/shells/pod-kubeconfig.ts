import { dump } from "js-yaml";
import type { KubeObject } from "../api/meta.ts";
import { HoldfastError } from "../base/errors.ts";
import type { Api } from "../embedded/api.ts";
import { fieldOf } from "./field-of.ts";

/** `certificate` is the PEM that clients have to trust. */
export type ServerAddress = { readonly url: string; readonly certificate: string };

/** A kubeconfig with a token of the pod's own service account. */
export async function podKubeconfig(api: Api, server: ServerAddress, pod: KubeObject): Promise<string> {
  const { namespace = "default" } = pod.metadata;
  const spec = pod["spec"];
  const account =
    typeof spec === "object" && spec !== null && "serviceAccountName" in spec
      ? String(spec.serviceAccountName)
      : "default";
  const { status, body } = await api.request({
    method: "POST",
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`,
    body: {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: { expirationSeconds: 86_400 },
    },
  });
  const token = fieldOf(body, "status", "token");
  if (status >= 300 || typeof token !== "string") {
    const next = `create the ServiceAccount ${namespace}/${account}`;
    throw new HoldfastError(
      "TokenRefused",
      `no token for the account ${account} of pod ${namespace}/${pod.metadata.name}`,
      { disposition: "stall", next },
    );
  }
  return dump({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "pod",
    clusters: [
      {
        name: "embedded",
        cluster: {
          server: server.url,
          "certificate-authority-data": Buffer.from(server.certificate).toString("base64"),
        },
      },
    ],
    contexts: [{ name: "pod", context: { cluster: "embedded", user: "pod", namespace } }],
    users: [{ name: "pod", user: { token } }],
  });
}
