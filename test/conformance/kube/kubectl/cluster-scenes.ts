import { crdOf } from "../widgets.ts";
import type { Scene } from "./session.ts";

const group = "session.TAG.example.com";
const crd = `gizmosTAG.${group}`;

// Other files that use the same real server have Widgets, so this kind has names of its own.
const definition = JSON.stringify(crdOf(group))
  .replaceAll("widget", "gizmo")
  .replace("gizmos.", "gizmosTAG.")
  .replace(
    '"plural":"gizmos","singular":"gizmo","kind":"Widget"',
    '"plural":"gizmosTAG","singular":"gizmoTAG","kind":"Gizmo"',
  )
  .replace('"wd"', '"gzTAG"');

const widget = (spec: string) => `apiVersion: ${group}/v1
kind: Gizmo
metadata: {name: one}
spec: {${spec}}
`;

const event = `apiVersion: v1
kind: Event
metadata: {name: told}
involvedObject: {kind: ConfigMap, name: about, namespace: NAMESPACE, apiVersion: v1}
type: Warning
reason: Odd
message: something is odd
firstTimestamp: "2020-01-01T00:00:00Z"
lastTimestamp: "2020-01-01T00:00:00Z"
count: 2
source: {component: nobody}
`;

const prose = {
  because: "schemas of built-in kinds have no descriptions",
  ignore: /^( {4}(?!.*\t<).*)?\n/,
};

const whole = {
  because: "a real server repeats the whole object in the message",
  ignore: /"\{.*\}": /,
};

const groups = {
  because: "what is listed in limits.ts is not served (and other test files have kinds of their own)",
  ignore:
    /^.*(admissionregistration|apiregistration|certificates|flowcontrol\.apiserver|node|resource)\.k8s\.io.*\n|^.*\bautoscaling\b.*\n|^.*\.(com|dev)\b.*\n|^(bindings|componentstatuses|ipaddresses|servicecidrs)\b.*\n/,
};

/** Kinds of CRDs, and what is asked about the cluster itself. */
export const clusterScenes: readonly Scene[] = [
  {
    title: "knows kinds of CRDs",
    files: { "crd.json": definition, "one.yaml": widget("size: 3") },
    steps: [
      { run: "apply -f crd.json", shows: /created/ },
      { run: `wait --for=condition=Established crd/${crd} --timeout=20s`, shows: /condition met/ },
      { run: "get gzTAG", shows: /No resources found/ },
      { run: "apply -f one.yaml", shows: /created|unchanged/ },
      { run: "apply -f one.yaml", shows: /unchanged/ },
      { run: "get gzTAG", shows: /SIZE/ },
      { run: "get gzTAG -o wide" },
      { run: "get gizmosTAG one -o yaml" },
      { run: `get gizmosTAG.v1.${group} -o name` },
      { run: "describe gzTAG one" },
      { run: "apply -f -", stdin: widget("size: 99"), code: 1, shows: /spec.size/ },
      {
        run: "apply -f -",
        stdin: widget("size: 3, siez: 4"),
        code: 1,
        differs: whole,
        shows: /unknown field "spec.siez"/,
      },
      { run: "apply -f -", stdin: widget("color: blue"), code: 1 },
      { run: "create -f -", stdin: `${widget("size: 1").replace("one", "two")}sepc: {}\n`, code: 1 },
      { run: 'patch gzTAG one --type=merge -p \'{"spec":{"size":4}}\'' },
      { run: 'patch gzTAG one -p \'{"spec":{"size":4}}\'', code: 1 },
      {
        run: 'patch gzTAG one --type=json -p \'[{"op":"add","path":"/spec/parts","value":[{"name":"p"}]}]\'',
      },
      {
        run: 'patch gzTAG one --subresource=status --type=merge -p \'{"status":{"phase":"Ready","conditions":[{"type":"Ready","status":"True"}]}}\'',
      },
      { run: "wait --for=jsonpath={.status.phase}=Ready gzTAG/one --timeout=20s" },
      { run: "wait --for=condition=Ready gzTAG/one --timeout=20s" },
      { run: "get gzTAG one --subresource=status" },
      {
        run: "get gzTAG -w",
        meanwhile: ['patch gzTAG one --type=merge -p \'{"spec":{"size":5}}\''],
        shows: /one +5/,
      },
      {
        run: "apply --server-side -f - --field-manager=other",
        stdin: widget("size: 6"),
        code: 1,
        shows: /conflict/,
      },
      { run: "apply --server-side -f - --field-manager=other --force-conflicts", stdin: widget("size: 6") },
      { run: "get gzTAG one -o yaml --show-managed-fields" },
      { run: "diff -f -", stdin: widget("size: 7"), code: 1 },
      { run: "label gzTAG one a=b" },
      { run: "edit gzTAG one", editor: "sed -i 's/size: 6/size: 7/'", shows: /edited/ },
      { run: "scale gzTAG one --replicas=2", code: 1 },
      { run: "explain gzTAG", differs: prose },
      { run: "explain gzTAG.spec --recursive" },
      { run: "explain gzTAG.spec.size" },
      { run: "explain gzTAG.spec.none", code: 1 },
      { run: `api-resources --api-group=${group}` },
      { run: `get crd ${crd}` },
      { run: `describe crd ${crd}` },
      { run: "delete gzTAG one --dry-run=server" },
      { run: `delete crd ${crd}`, shows: /deleted/ },
      { run: "get gzTAG", code: 1 },
    ],
  },
  {
    title: "tells about itself",
    files: { "event.yaml": event },
    steps: [
      { run: "version" },
      {
        run: "version -o json",
        differs: {
          because: "the embedded server says that it is not that server",
          ignore: /^ +"(gitCommit|goVersion|compiler|platform)": .*\n/,
        },
      },
      { run: "cluster-info" },
      { run: "config view" },
      { run: "config current-context" },
      { run: "auth whoami" },
      { run: "auth whoami -o yaml" },
      { run: "auth can-i get pods" },
      { run: "auth can-i '*' '*'" },
      {
        run: "auth can-i --list",
        shows: /^\*\.\*/m,
        differs: {
          because: "RBAC objects are kept and not enforced, so there are no rules of single resources",
          ignore: /^(?!Resources|\*\.\*).*\n/,
        },
      },
      { run: "api-versions", differs: groups },
      { run: "api-resources", differs: groups },
      { run: "api-resources -o wide", differs: groups },
      { run: "api-resources --namespaced=false -o name", differs: groups },
      { run: "api-resources --api-group=apps --no-headers" },
      { run: "api-resources --verbs=list --categories=all", differs: groups },
      { run: "explain configmap", differs: prose },
      { run: "explain deployment.spec.strategy", differs: prose },
      { run: "explain pod.spec.containers --recursive", differs: prose },
      { run: "explain pods.spec.restartPolicy", differs: prose },
      { run: "explain cronjobs --api-version=batch/v1", differs: prose },
      { run: "explain pods.none", code: 1 },
      { run: "explain gadgets", code: 1 },
      { run: "get --raw /readyz" },
      { run: "get --raw /api/v1/namespaces/NAMESPACE/configmaps?limit=1&labelSelector=none%3Dthere" },
      { run: "get --raw /nothing", code: 1 },
      { run: "get --raw /apis/none.example.com/v1", code: 1 },
      { run: "apply -f event.yaml" },
      { run: "get events", shows: /Odd/ },
      { run: "get events -o wide" },
      { run: "events", shows: /Odd/ },
      { run: "events --types=Warning" },
      { run: "events --for=configmap/about" },
      { run: "create serviceaccount robot" },
      { run: "create token robot --duration=20m" },
      { run: "create token absent", code: 1 },
      { run: "get namespace NAMESPACE", shows: /Active/ },
      { run: "describe namespace NAMESPACE" },
      { run: "get sa default", shows: /default/ },
      { run: "cluster-info dump --namespaces none --output-directory=dump -o yaml" },
      { run: "exec absent -- true", code: 1 },
      { run: "cp absent:/x y", code: 1 },
      { run: "port-forward absent 1:1", code: 1 },
      { run: "attach absent", code: 1 },
      { run: "top pods", code: 1 },
      {
        run: "get cm --as=somebody",
        code: 1,
        differs: { because: "impersonation is refused by name", ignore: /^Error from server.*/ },
      },
      { run: "cordon absent", code: 1 },
      { run: "taint node absent a=b:NoSchedule", code: 1 },
    ],
  },
];
