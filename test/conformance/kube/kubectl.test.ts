import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { pathOf, requireOrSkip } from "../../support/real-parts.ts";
import { kubeServers, type Server } from "./servers.ts";
import { crdOf } from "./widgets.ts";

const hasKubectl = requireOrSkip("kubectl");

type Run = { readonly code: number; readonly out: string; readonly err: string };

type Kubectl = (args: readonly string[], stdin?: string) => Promise<Run>;

/** kubectl with a home of its own: discovery is cached there by the server's address. */
function kubectlOf(server: () => Server, home: () => string): Kubectl {
  return (args, stdin = "") => {
    const { kubeconfigPath, namespace } = server();
    const env = { PATH: process.env["PATH"], HOME: home(), KUBECONFIG: kubeconfigPath };
    return new Promise((resolve) => {
      const all = ["--namespace", namespace, "--cache-dir", join(home(), "cache"), ...args];
      const child = execFile(pathOf("kubectl"), all, { env, timeout: 30_000 }, (error, out, err) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
        resolve({ code, out: mask(out, server()), err: mask(err, server()) });
      });
      child.stdin?.end(stdin);
    });
  };
}

/** Names, times and ids that differ from run to run. */
function mask(text: string, { namespace, tag }: Server): string {
  return text
    .replaceAll(namespace, "NAMESPACE")
    .replaceAll(tag, "TAG")
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "UID")
    .replace(/[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} [+-]\d{4}/g, "TIME")
    .replace(/\d{4}-\d\d-\d\dT[\d:]{8}Z/g, "TIME")
    .replace(/resourceVersion: "\d+"/g, 'resourceVersion: "N"')
    .replace(/Resource Version: +\d+/g, "Resource Version: N")
    .replace(/\b\d+s\b/g, "AGE")
    .replace(/[ \t]+$/gm, "");
}

const settings = (value: string) => `apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  labels:
    app: shop
data:
  value: "${value}"
`;

const shop = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
  labels:
    app: shop
spec:
  replicas: 1
  paused: true
  selector:
    matchLabels:
      app: shop
  template:
    metadata:
      labels:
        app: shop
    spec:
      containers:
      - name: app
        image: example.com/shop:1
`;

const onEveryServer = kubeServers();

/** The cases of one group, each server with its kubectl. */
function withKubectl(
  title: string,
  cases: (kubectl: Kubectl, server: () => Server, home: () => string) => void,
) {
  let home = "";
  describe.runIf(hasKubectl)("kubectl", () => {
    beforeAll(async () => {
      home = await mkdtemp(join(tmpdir(), "holdfast-kubectl-"));
    });
    afterAll(() => rm(home, { recursive: true, force: true }));
    onEveryServer(title, (server) =>
      cases(
        kubectlOf(server, () => home),
        server,
        () => home,
      ),
    );
  });
}

withKubectl("applies and reads", (kubectl) => {
  it("applies, applies again, and shows the difference", async () => {
    expect(await kubectl(["apply", "-f", "-"], settings("1"))).toMatchObject({
      out: "configmap/settings created\n",
    });
    expect(await kubectl(["apply", "-f", "-"], settings("1"))).toMatchObject({
      out: "configmap/settings unchanged\n",
    });
    expect(await kubectl(["apply", "-f", "-"], settings("2"))).toMatchObject({
      out: "configmap/settings configured\n",
    });
    const diff = await kubectl(["diff", "-f", "-"], settings("3"));
    expect(diff.code).toBe(1);
    expect(diff.out).toMatch(/^-  value: "2"$/m);
    expect(diff.out).toMatch(/^\+  value: "3"$/m);
    const applied = await kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], settings("4"));
    expect(applied).toMatchObject({ code: 0, out: "configmap/settings serverside-applied\n" });
    const dry = await kubectl(["apply", "--dry-run=server", "-f", "-"], settings("5"));
    expect(dry).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^configmap\/settings configured \(server dry run\)/m),
    });
  });

  it("prints tables, names, YAML and single values", async () => {
    await kubectl(["apply", "-f", "-"], settings("4"));
    const table = await kubectl(["get", "configmaps", "-l", "app=shop"]);
    expect(table).toMatchObject({ code: 0, out: "NAME       DATA   AGE\nsettings   1      AGE\n" });
    expect((await kubectl(["get", "cm", "-l", "app=shop", "-o", "name"])).out).toBe("configmap/settings\n");
    expect((await kubectl(["get", "cm/settings", "-o", "jsonpath={.data.value}"])).out).toBe("4");
    expect((await kubectl(["get", "cm", "settings", "-o", "yaml"])).out).toMatch(
      /^ {2}resourceVersion: "N"$/m,
    );
    expect((await kubectl(["get", "cm", "-A", "-l", "app=shop"])).out).toMatch(
      /^NAMESPACE +NAME +DATA +AGE\n/,
    );
    const absent = await kubectl(["get", "cm", "absent"]);
    expect(absent.err).toBe('Error from server (NotFound): configmaps "absent" not found\n');
    expect(absent.code).toBe(1);
    const unknown = await kubectl(["get", "gadgets"]);
    expect(unknown.err).toBe('error: the server doesn\'t have a resource type "gadgets"\n');
  });

  it("describes, labels, annotates and patches", async () => {
    await kubectl(["apply", "-f", "-"], settings("4"));
    const described = await kubectl(["describe", "configmap", "settings"]);
    expect(described.out).toMatch(/^Name: +settings\nNamespace: +NAMESPACE\nLabels: +app=shop\n/);
    expect(described.out).toMatch(/^value:\n----\n4\n/m);
    expect((await kubectl(["label", "cm", "settings", "tier=front"])).out).toBe(
      "configmap/settings labeled\n",
    );
    expect((await kubectl(["annotate", "cm", "settings", "note=x"])).out).toBe(
      "configmap/settings annotated\n",
    );
    for (const [type, patch] of [
      ["merge", '{"data":{"b":"1"}}'],
      ["strategic", '{"data":{"c":"1"}}'],
      ["json", '[{"op":"add","path":"/data/d","value":"1"}]'],
    ] as const) {
      const patched = await kubectl(["patch", "cm", "settings", "--type", type, "-p", patch]);
      expect(patched).toMatchObject({ code: 0, out: "configmap/settings patched\n" });
    }
    const data = await kubectl(["get", "cm", "settings", "-o", "jsonpath={.data}"]);
    expect(JSON.parse(data.out)).toEqual({ value: "4", b: "1", c: "1", d: "1" });
  });
});

withKubectl("works on workloads", (kubectl, server) => {
  it("scales, sets an image, and describes", async () => {
    expect((await kubectl(["apply", "-f", "-"], shop)).out).toBe("deployment.apps/shop created\n");
    const scaled = await kubectl(["scale", "deployment", "shop", "--replicas", "3"]);
    expect(scaled).toMatchObject({ code: 0, out: "deployment.apps/shop scaled\n" });
    const image = await kubectl(["set", "image", "deployment/shop", "app=example.com/shop:2"]);
    expect(image).toMatchObject({ code: 0, out: "deployment.apps/shop image updated\n" });
    const query = "jsonpath={.spec.replicas} {.spec.template.spec.containers[0].image}";
    expect((await kubectl(["get", "deploy", "shop", "-o", query])).out).toBe("3 example.com/shop:2");
    const described = await kubectl(["describe", "deployment", "shop"]);
    expect(described.code).toBe(0);
    expect(described.out).toMatch(/^Replicas: +3 desired/m);
    expect(described.out).toMatch(/^ +Image: +example.com\/shop:2$/m);
  });

  it("makes objects from the command line", async () => {
    const made = await kubectl(["create", "configmap", "made", "--from-literal=a=1"]);
    expect(made).toMatchObject({ code: 0, out: "configmap/made created\n" });
    const twice = await kubectl(["create", "configmap", "made", "--from-literal=a=1"]);
    expect(twice.err).toBe('error: failed to create configmap: configmaps "made" already exists\n');
    const secret = await kubectl(["create", "secret", "generic", "keys", "--from-literal=password=x"]);
    expect(secret).toMatchObject({ code: 0, out: "secret/keys created\n" });
    const account = await kubectl(["create", "serviceaccount", "robot"]);
    expect(account).toMatchObject({ code: 0, out: "serviceaccount/robot created\n" });
    const namespace = await kubectl(["create", "namespace", `kubectl-${server().tag}`]);
    expect(namespace).toMatchObject({ code: 0, out: "namespace/kubectl-TAG created\n" });
    const deleted = await kubectl(["delete", "namespace", `kubectl-${server().tag}`]);
    expect(deleted).toMatchObject({ code: 0, out: 'namespace "kubectl-TAG" deleted\n' });
  });

  it("deletes, and waits for what is deleted", async () => {
    await kubectl(["create", "configmap", "doomed"]);
    const waiting = kubectl(["wait", "--for=delete", "configmap/doomed", "--timeout=20s"]);
    const deleted = await kubectl(["delete", "configmap", "doomed"]);
    expect(deleted).toMatchObject({ code: 0, out: expect.stringMatching(/^configmap "doomed" deleted/) });
    expect((await waiting).code).toBe(0);
    const again = await kubectl(["delete", "configmap", "doomed"]);
    expect(again.err).toBe('Error from server (NotFound): configmaps "doomed" not found\n');
    expect((await kubectl(["delete", "configmap", "doomed", "--ignore-not-found"])).code).toBe(0);
  });
});

withKubectl("knows kinds of CRDs", (kubectl, server, home) => {
  it("says so when it is given a kind that is not there", async () => {
    const stranger = "apiVersion: nothing.example.com/v1\nkind: Stranger\nmetadata: {name: one}\n";
    const refused = await kubectl(["apply", "-f", "-"], stranger);
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('no matches for kind "Stranger" in version "nothing.example.com/v1"');
  });

  it("installs a CRD, waits for it, and works with its objects by short name", async () => {
    const group = `kubectl.${server().tag}.example.com`;
    const file = join(home(), `${group}.json`);
    await writeFile(file, JSON.stringify(crdOf(group)));
    const crd = `customresourcedefinition.apiextensions.k8s.io/widgets.${group}`;
    expect((await kubectl(["apply", "-f", file])).code).toBe(0);
    const established = await kubectl(["wait", "--for=condition=Established", crd, "--timeout=20s"]);
    expect(established.out).toMatch(/condition met\n$/);
    const widget = `apiVersion: ${group}/v1\nkind: Widget\nmetadata: {name: one}\nspec: {size: 3}\n`;
    const made = await eventually(async () => {
      const run = await kubectl(["apply", "-f", "-"], widget);
      expect(run.code).toBe(0);
      return run;
    });
    expect(made.out).toBe("widget.kubectl.TAG.example.com/one created\n");
    // A real server tells short names and columns a moment after it serves the kind.
    const columns = await eventually(async () => {
      const table = await kubectl(["get", "wd"]);
      expect(table.out).toBe("NAME   SIZE   PHASE   AGE\none    3              AGE\n");
      return table;
    });
    expect(columns.code).toBe(0);
    const refused = await kubectl(["apply", "-f", "-"], widget.replace("size: 3", "size: 99"));
    expect(refused.code).toBe(1);
    expect(refused.err).toContain("spec.size");
    const typo = await kubectl(["apply", "-f", "-"], widget.replace("{size: 3}", "{size: 3, siez: 3}"));
    expect(typo.code).toBe(1);
    expect(typo.err).toContain('unknown field "spec.siez"');
    const patch = '{"status":{"phase":"Ready"}}';
    const reported = await kubectl([
      "patch",
      "wd",
      "one",
      "--subresource=status",
      "--type=merge",
      "-p",
      patch,
    ]);
    expect(reported.code).toBe(0);
    const waited = await kubectl(["wait", "--for=jsonpath={.status.phase}=Ready", "wd/one", "--timeout=20s"]);
    expect(waited.code).toBe(0);
    const explained = await kubectl(["explain", `widgets.spec.size`, `--api-version=${group}/v1`]);
    expect(explained.out).toMatch(/FIELD: size <integer>/);
    const listed = await kubectl(["api-resources", `--api-group=${group}`, "--no-headers"]);
    expect(listed.out).toMatch(/^widgets +wd +kubectl\.TAG\.example\.com\/v1 +true +Widget\n$/);
    expect((await kubectl(["delete", crd])).code).toBe(0);
  });
});
