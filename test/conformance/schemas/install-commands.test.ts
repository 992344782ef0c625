import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { startKubeApiserver } from "../../support/kube-apiserver.ts";
import { pathOf, requireOrSkip } from "../../support/real-parts.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** Lines of the code of a page that begin with a command. */
function commandsOf(page: string, command: string): readonly string[] {
  return readFileSync(`${root}${page}`, "utf8")
    .split("\n")
    .filter((line) => line.startsWith(command));
}

test.runIf(requireOrSkip("kubectl", "kube-apiserver", "etcd"))(
  "a bare cluster takes the kinds, the roles and the catalogue by the README's commands, and then the example's accounts",
  async () => {
    // The shared server has the kinds already.
    const server = await startKubeApiserver();
    onTestFinished(() => server.close());
    const kubectl = (line: string) =>
      execFileSync(pathOf("kubectl"), line.split(" ").slice(1), {
        cwd: root,
        encoding: "utf8",
        env: {
          PATH: process.env["PATH"],
          KUBECONFIG: server.kubeconfigPath,
          HOME: dirname(server.kubeconfigPath),
        },
        stdio: "pipe",
      });
    const [first = "", ...rest] = commandsOf("README.md", "kubectl ").filter((line) => line.includes(" -f "));
    expect(kubectl(first)).toContain("customresourcedefinition.apiextensions.k8s.io/backupbatches");
    expect(rest.map(kubectl).join("\n")).toContain("addon.addons.kubestash.com/workload-addon created");
    for (const line of commandsOf("examples/gitops-repo/README.md", "kubectl create namespace"))
      kubectl(line);
    for (const accounts of ["plan-account", "manifest-accounts"])
      expect(kubectl(`kubectl apply -f examples/gitops-repo/${accounts}.yaml`)).not.toContain("unchanged");
  },
);
