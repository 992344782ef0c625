import type { Scene } from "./session.ts";

const shop = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
  labels: {app: shop}
spec:
  replicas: 1
  selector:
    matchLabels: {app: shop}
  template:
    metadata:
      labels: {app: shop}
    spec:
      automountServiceAccountToken: false
      containers:
      - name: app
        image: example.com/shop:1
        env: [{name: MODE, value: plain}]
        ports: [{containerPort: 80}]
        volumeMounts: [{name: conf, mountPath: /conf}]
      volumes:
      - name: conf
        configMap: {name: conf}
`;

const web = `apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec:
  serviceName: web
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: app, image: "example.com/web:1"}]
`;

const agent = `apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      nodeSelector: {disk: ssd}
      containers: [{name: app, image: "example.com/agent:1"}]
`;

const pod = `apiVersion: v1
kind: Pod
metadata: {name: lone, labels: {app: lone}}
spec:
  nodeName: nowhere
  automountServiceAccountToken: false
  restartPolicy: Never
  initContainers: [{name: before, image: "example.com/init:1", command: [sh, -c, "true"]}]
  containers:
  - name: app
    image: example.com/lone:1
    args: ["--a=b"]
    resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {memory: 64Mi}}
    livenessProbe: {httpGet: {path: /, port: 80}}
    env:
    - {name: A, value: b}
    - {name: FROM, valueFrom: {secretKeyRef: {name: keys, key: k}}}
    - {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
    volumeMounts: [{name: data, mountPath: /data, readOnly: true}]
  - {name: side, image: "example.com/side:1"}
  tolerations: [{key: x, operator: Exists}]
  volumes:
  - {name: data, persistentVolumeClaim: {claimName: data}}
  - {name: scratch, emptyDir: {}}
`;

const claim = `apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: none-TAG
  resources: {requests: {storage: 1Gi}}
`;

const volume = `apiVersion: v1
kind: PersistentVolume
metadata: {name: volume-TAG}
spec:
  capacity: {storage: 2Gi}
  accessModes: [ReadWriteOnce, ReadOnlyMany]
  storageClassName: other-TAG
  hostPath: {path: /tmp/x}
`;

const ready = JSON.stringify({
  status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] },
});
const running = JSON.stringify({
  status: {
    phase: "Running",
    containerStatuses: [
      {
        name: "app",
        image: "x",
        imageID: "",
        ready: true,
        restartCount: 3,
        state: { running: { startedAt: "2020-01-01T00:00:00Z" } },
        lastState: {
          terminated: {
            exitCode: 2,
            reason: "Error",
            startedAt: "2020-01-01T00:00:00Z",
            finishedAt: "2020-01-01T00:00:01Z",
          },
        },
      },
      {
        name: "side",
        image: "x",
        imageID: "",
        ready: false,
        restartCount: 0,
        state: { waiting: { reason: "ErrImagePull", message: "no" } },
      },
    ],
  },
});

const goDiff = {
  because: "a real server adds a diff of its own Go structs to the message",
  ignore: /^@@[^]*/,
};

/** Kinds that controllers act on. Pods are nowhere run; their status is written by hand. */
export const workloadScenes: readonly Scene[] = [
  {
    title: "runs a deployment",
    files: { "shop.yaml": shop },
    steps: [
      { run: "apply -f shop.yaml", shows: /created/ },
      { run: "get deployments", shows: /shop +0\/1 +1 +0/ },
      { run: "get deploy -o wide" },
      { run: "get deploy shop -o yaml" },
      { run: "get rs -o wide", shows: /shop-HASH +1 +1 +0/ },
      { run: "get pods", shows: /shop-HASH +0\/1 +Pending/ },
      { run: "get pods -o wide" },
      { run: "get all", shows: /replicaset.apps/ },
      { run: "describe deployment shop", shows: /ScalingReplicaSet/ },
      { run: "describe rs", shows: /SuccessfulCreate/ },
      { run: "describe pods", shows: /Status:/ },
      { run: "set image deployment/shop app=example.com/shop:2", shows: /image updated/ },
      { run: "set env deployment/shop MODE=fancy", shows: /env updated/ },
      { run: "set resources deployment/shop --limits=memory=64Mi", shows: /updated/ },
      { run: "rollout history deployment/shop", shows: /\n4/ },
      { run: "rollout history deployment/shop --revision=2", shows: /shop:2/ },
      { run: "annotate deployment/shop kubernetes.io/change-cause=because" },
      { run: "rollout undo deployment/shop --to-revision=1", shows: /rolled back/ },
      { run: "rollout history deployment/shop", shows: /\n5/ },
      { run: "rollout undo deployment/shop --to-revision=99", code: 1 },
      { run: "rollout restart deployment/shop", shows: /restarted/ },
      { run: "rollout pause deployment/shop", shows: /paused/ },
      { run: "rollout pause deployment/shop", code: 1, shows: /already paused/ },
      { run: "rollout resume deployment/shop", shows: /resumed/ },
      { run: "rollout status deployment/shop --timeout=1s", code: 1 },
      { run: "rollout status deployment/shop --watch=false", shows: /Waiting for/ },
      { run: "scale deployment shop --replicas=3", shows: /scaled/ },
      { run: "scale deployment shop --replicas=2 --current-replicas=9", code: 1, shows: /Expected replicas/ },
      { run: "scale deployment shop --replicas=0" },
      { run: "get deploy shop", shows: /0\/0/ },
      {
        run: 'patch deployment shop -p \'{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"x"}]}}}}\'',
        shows: /patched/,
      },
      { run: 'patch deployment shop -p \'{"spec":{"selector":{"matchLabels":{"app":"x"}}}}\'', code: 1 },
      { run: 'patch deployment shop -p \'{"spec":{"replicas":-1}}\'', code: 1 },
      { run: "get deploy shop -o 'jsonpath={.spec.template.spec.containers[*].name}'" },
      { run: "get deploy shop --subresource=scale" },
      { run: "get deploy shop --subresource=status -o 'jsonpath={.spec.replicas}'" },
      { run: 'patch deploy shop --subresource=scale --type=merge -p \'{"spec":{"replicas":1}}\'' },
      { run: "expose deployment shop --port=80", shows: /exposed/ },
      { run: "delete deployment shop --cascade=orphan", shows: /deleted/ },
      { run: "get rs -o 'jsonpath={.items[*].metadata.ownerReferences}'" },
      { run: "delete rs --all --cascade=foreground", shows: /deleted/ },
      { run: "get pods", shows: /No resources found/ },
    ],
  },
  {
    title: "runs a stateful set",
    files: { "web.yaml": web },
    steps: [
      { run: "create -f web.yaml" },
      { run: "get sts -o wide", shows: /web +0\/1/ },
      { run: "get pods", shows: /web-0 +0\/1 +Pending/ },
      { run: "rollout status sts/web --timeout=1s", code: 1, shows: /Waiting for 1 pods to be ready/ },
      { run: `patch pod web-0 --subresource=status -p '${ready}'` },
      { run: "rollout status sts/web --timeout=20s", shows: /complete/ },
      { run: "wait --for=jsonpath={.status.readyReplicas}=1 sts/web --timeout=20s" },
      { run: "wait --for=condition=Ready pod/web-0 --timeout=5s" },
      { run: "wait pod -l app=web --for=condition=Ready=false --timeout=1s", code: 1 },
      { run: "get pods web-0" },
      { run: "describe sts web", shows: /SuccessfulCreate/ },
      { run: "rollout history sts/web", shows: /\n1/ },
      { run: "get controllerrevisions", shows: /web-HASH/ },
      { run: 'patch sts web -p \'{"spec":{"serviceName":"x"}}\'', code: 1 },
      { run: "delete sts web --cascade=foreground" },
      { run: "get pod web-0", code: 1 },
    ],
  },
  {
    title: "runs jobs",
    steps: [
      { run: "create cronjob nightly --image=example.com/app:1 '--schedule=0 3 1 1 *' -- run it" },
      { run: "get cronjobs -o wide" },
      { run: "describe cronjob nightly" },
      { run: "create job once --from=cronjob/nightly" },
      { run: "get job once", shows: /Running +0\/1/ },
      { run: "get job once -o wide" },
      { run: "get job once -o yaml", shows: /active: 1/ },
      { run: "describe job once", shows: /SuccessfulCreate/ },
      { run: 'patch job once -p \'{"spec":{"suspend":true}}\'' },
      { run: "get job once", shows: /Suspended/ },
      { run: "describe job once", shows: /Normal +Suspended/ },
      { run: "wait --for=condition=Suspended job/once --timeout=5s" },
      { run: 'patch job once -p \'{"spec":{"backoffLimit":-1}}\'', code: 1 },
      { run: 'patch cronjob nightly -p \'{"spec":{"suspend":true}}\'' },
      { run: 'patch cronjob nightly -p \'{"spec":{"schedule":"never"}}\'', code: 1 },
      { run: "get cronjob nightly -o yaml", shows: /suspend: true/ },
      { run: "get jobs,cronjobs,pods" },
      { run: "delete job once", shows: /deleted/ },
      { run: "delete cronjob nightly" },
    ],
  },
  {
    title: "keeps pods and volumes",
    files: { "pod.yaml": pod, "claim.yaml": claim, "volume.yaml": volume, "agent.yaml": agent },
    steps: [
      { run: "apply -f pod.yaml -f claim.yaml -f volume.yaml -f agent.yaml" },
      { run: "get pod lone -o yaml" },
      { run: "get pod lone -o wide", shows: /Pending/ },
      { run: "describe pod lone" },
      { run: `patch pod lone --subresource=status -p '${running}'` },
      { run: "get pod lone -o wide", shows: /1\/2 +ErrImagePull +3/ },
      { run: "describe pod lone", shows: /Restart Count: +3/ },
      { run: "get pods --field-selector status.phase=Running,spec.nodeName=nowhere" },
      { run: "get pods --field-selector status.nothing=x", code: 1 },
      { run: "get pods --field-selector status.phase!=Running" },
      {
        run: "logs lone",
        code: 1,
        differs: { because: "the embedded server is no kubelet here", ignore: /[^]*/ },
      },
      { run: "logs lone -c none", code: 1 },
      { run: "logs none", code: 1 },
      { run: 'patch pod lone -p \'{"spec":{"nodeName":"x"}}\'', code: 1, differs: goDiff },
      { run: "set image pod/lone app=example.com/lone:2" },
      { run: "get pvc data -o wide", shows: /Pending/ },
      { run: "get pvc data -o yaml" },
      { run: "describe pvc data", shows: /none-TAG/ },
      { run: "get pv volume-TAG -o wide", shows: /Available/ },
      { run: "describe pv volume-TAG", shows: /Source:/ },
      { run: 'patch pvc data -p \'{"spec":{"accessModes":["ReadWriteMany"]}}\'', code: 1, differs: goDiff },
      { run: "get ds agent -o wide", shows: /disk=ssd/ },
      {
        run: "describe ds agent",
        differs: { because: "the annotation has been deprecated since 1.9", ignore: /^Annotations:.*/ },
      },
      { run: "rollout status ds/agent --timeout=5s" },
      { run: "delete pod lone --grace-period=0 --force", shows: /force deleted/ },
      { run: "delete pv volume-TAG" },
      { run: "delete -f claim.yaml -f agent.yaml" },
      {
        run: "run bare --image=example.com/bare:1 --dry-run=server -o yaml",
        shows: /serviceAccountName: default/,
        differs: {
          because: "a process gets its token by a kubeconfig, so no volume with one is added",
          ignore:
            /^ +volumeMounts:\n( +- mountPath: \/var\/run.*\n( {6}.*\n){2})|^ {2}volumes:\n {2}- name: kube-api[^]*?(?=^status)/,
        },
      },
      { run: "get pvc,ds,pods", shows: /No resources found/ },
    ],
  },
];
