import { readFileSync } from "node:fs";
import { load } from "js-yaml";
import { Agent } from "undici";

type Kubeconfig = {
  readonly clusters: readonly [
    { readonly cluster: { readonly server: string; readonly "certificate-authority-data": string } },
  ];
  readonly users: readonly [{ readonly user: { readonly token: string } }];
};

/** What a client without any of our code needs to ask the API server of a kubeconfig. */
export function bareAccess(kubeconfigPath: string) {
  const { clusters, users } = load(readFileSync(kubeconfigPath, "utf8")) as Kubeconfig;
  const ca = Buffer.from(clusters[0].cluster["certificate-authority-data"], "base64");
  return {
    server: clusters[0].cluster.server,
    dispatcher: new Agent({ connect: { ca } }),
    headers: { authorization: `Bearer ${users[0].user.token}` },
  };
}
