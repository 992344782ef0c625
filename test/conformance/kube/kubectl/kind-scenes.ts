import type { Scene } from "./session.ts";

const names = "TAG";
const meta = (name: string) => `metadata: {name: ${name}, labels: {all: kinds}}`;

/** One object of each kind whose columns kubectl gets from the server. */
const all = `apiVersion: v1
kind: Endpoints
${meta("points")}
subsets:
- addresses: [{ip: 192.0.2.1}, {ip: 192.0.2.2}, {ip: 192.0.2.3}, {ip: 192.0.2.4}]
  ports: [{name: web, port: 80}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
${meta("slice")}
addressType: IPv4
endpoints: [{addresses: [192.0.2.1]}, {addresses: [192.0.2.2]}]
ports: [{name: web, port: 80, protocol: TCP}]
---
apiVersion: v1
kind: LimitRange
${meta("limits")}
spec: {limits: [{type: Container, default: {cpu: 100m}, defaultRequest: {cpu: 100m}}]}
---
apiVersion: v1
kind: PodTemplate
${meta("template")}
template:
  metadata: {labels: {a: b}}
  spec: {containers: [{name: app, image: "example.com/app:1"}]}
---
apiVersion: v1
kind: ReplicationController
${meta("old")}
spec:
  replicas: 0
  selector: {a: b}
  template:
    metadata: {labels: {a: b}}
    spec: {containers: [{name: app, image: "example.com/app:1"}]}
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
${meta(`class-${names}`)}
spec: {controller: example.com/x, parameters: {apiGroup: example.com, kind: Thing, name: one}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
${meta("web")}
spec:
  ingressClassName: class-${names}
  tls: [{hosts: [a.example.com]}]
  rules:
  - {host: a.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: front, port: {number: 80}}}}]}}
  - {host: b.example.com}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
${meta("closed")}
spec: {podSelector: {matchLabels: {a: b}, matchExpressions: [{key: c, operator: In, values: [d, e]}]}, policyTypes: [Ingress]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
${meta("budget")}
spec: {maxUnavailable: 25%, selector: {matchLabels: {no: pod}}}
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
${meta(`urgent-${names}`)}
value: 1000
preemptionPolicy: Never
description: for tests
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
${meta(`slow-${names}`)}
provisioner: example.com/slow
allowVolumeExpansion: true
---
apiVersion: storage.k8s.io/v1
kind: CSIDriver
${meta(`driver-${names}.example.com`)}
spec: {attachRequired: false, tokenRequests: [{audience: vault}]}
---
apiVersion: storage.k8s.io/v1
kind: CSINode
${meta(`node-${names}`)}
spec: {drivers: [{name: d.example.com, nodeID: one}]}
---
apiVersion: storage.k8s.io/v1
kind: CSIStorageCapacity
${meta("capacity")}
storageClassName: slow
---
apiVersion: storage.k8s.io/v1
kind: VolumeAttachment
${meta(`attached-${names}`)}
spec: {attacher: d.example.com, nodeName: one, source: {persistentVolumeName: v}}
---
apiVersion: storage.k8s.io/v1
kind: VolumeAttributesClass
${meta(`fast-${names}`)}
driverName: d.example.com
parameters: {iops: "1"}
---
apiVersion: coordination.k8s.io/v1
kind: Lease
${meta("lease")}
spec: {holderIdentity: me, leaseDurationSeconds: 15}
---
apiVersion: v1
kind: Node
${meta(`idle-${names}`)}
spec: {unschedulable: true}
---
apiVersion: v1
kind: Service
${meta("front")}
spec: {type: NodePort, externalIPs: [192.0.2.9], ports: [{port: 80, nodePort: 30080}]}
---
apiVersion: apps/v1
kind: ControllerRevision
${meta("revision")}
revision: 7
data: {}
`;

const kinds = [...all.matchAll(/^kind: (\w+)$/gm)].map(([, kind = ""]) => kind.toLowerCase());

/** Tables of kinds that no other scene makes. */
export const kindScenes: readonly Scene[] = [
  {
    title: "shows every kind",
    files: { "all.yaml": all },
    steps: [
      { run: "create -f all.yaml", shows: /controllerrevision.*created/ },
      { run: `get ${kinds.slice(0, 10).join(",")} -l all=kinds` },
      { run: `get ${kinds.slice(10).join(",")} -l all=kinds` },
      { run: `get ${kinds.join(",")} -l all=kinds -o wide` },
      { run: `get ${kinds.join(",")} -l all=kinds -o name` },
      { run: "describe networkpolicy,ingressclass,priorityclass,limitrange,lease -l all=kinds" },
      { run: "delete -f all.yaml --wait=false", shows: /deleted/ },
    ],
  },
];
