import type { Scene } from "./session.ts";

const settings = (value: string) => `apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
  labels:
    app: shop
data:
  value: "${value}"
`;

const pair = `apiVersion: v1
kind: ConfigMap
metadata:
  name: first
  labels: {set: pair, order: "1"}
data: {a: "1"}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: second
  labels: {set: pair, order: "2"}
data: {a: "0"}
`;

const onlyFirst = pair.slice(0, pair.indexOf("---"));

const kept = {
  because: "Services and disruption budgets are kept, and nothing acts on them",
  ignore: /^Endpoints:.*|front:80 \(.*|^ +(Desired|Total): .*/,
};

const ownWords = {
  because: "the place of the mistake is named, where a real server shows Go's view of the whole patch",
  ignore: /patch: Invalid value: .*/,
};

/** Plain objects: what is declared, read, changed and deleted. */
export const objectScenes: readonly Scene[] = [
  {
    title: "applies",
    files: { "pair.yaml": pair, "first.yaml": onlyFirst },
    steps: [
      { run: "apply -f -", stdin: settings("1"), shows: /settings created/ },
      { run: "apply -f -", stdin: settings("1"), shows: /settings unchanged/ },
      { run: "apply -f -", stdin: settings("2"), shows: /settings configured/ },
      { run: "apply -f - --dry-run=server", stdin: settings("3"), shows: /server dry run/ },
      { run: "apply -f - --dry-run=client -o yaml", stdin: settings("3") },
      { run: "apply view-last-applied configmap/settings", shows: /value: "2"/ },
      { run: "diff -f -", stdin: settings("2") },
      { run: "diff -f -", stdin: settings("3"), code: 1, shows: /^\+ {2}value: "3"$/m },
      { run: "apply -f pair.yaml --prune -l set=pair", shows: /second created/ },
      { run: "apply -f first.yaml --prune -l set=pair", shows: /second pruned/ },
      { run: "get configmaps -l set=pair", shows: /first/ },
      { run: "apply -f -", stdin: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: BAD}\n", code: 1 },
      {
        run: "apply -f -",
        stdin: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: typo}\ndatta: {a: b}\n",
        code: 1,
        shows: /unknown field "datta"/,
      },
      {
        run: "apply -f -",
        stdin: "apiVersion: v1\nkind: Stranger\nmetadata: {name: one}\n",
        code: 1,
        shows: /no matches for kind "Stranger"/,
      },
      {
        run: "apply -f - --validate=false",
        stdin: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: lax}\ndatta: {a: b}\n",
        shows: /lax created/,
      },
    ],
  },
  {
    title: "applies on the server's side",
    steps: [
      {
        run: "apply --server-side -f - --field-manager=one",
        stdin: settings("1"),
        shows: /serverside-applied/,
      },
      {
        run: "apply --server-side -f - --field-manager=two",
        stdin: settings("2"),
        code: 1,
        shows: /conflict with "one"/,
      },
      {
        run: "apply --server-side -f - --field-manager=two --force-conflicts",
        stdin: settings("2"),
        shows: /serverside-applied/,
      },
      { run: "get configmap settings -o yaml --show-managed-fields", shows: /manager: two/ },
      {
        run: "diff --server-side -f - --field-manager=two",
        stdin: settings("3"),
        code: 1,
        shows: /value: "3"/,
      },
      {
        run: "apply --server-side -f - --field-manager=one --dry-run=server",
        stdin: settings("2"),
        shows: /server dry run/,
      },
      { run: "apply -f -", stdin: settings("4"), shows: /configured/ },
    ],
  },
  {
    title: "gets",
    files: { "pair.yaml": pair },
    steps: [
      { run: "create -f pair.yaml", shows: /second created/ },
      { run: "create -f pair.yaml", code: 1, shows: /AlreadyExists/ },
      { run: "get cm -l set=pair" },
      { run: "get cm -l set=pair --show-labels" },
      { run: "get cm -l set=pair -L order,set" },
      { run: "get cm -l set=pair --no-headers" },
      { run: "get cm -l set=pair -o wide" },
      { run: "get cm -l set=pair -o name" },
      { run: "get cm -l set=pair -o yaml" },
      { run: "get cm first -o json" },
      { run: "get cm first -o yaml" },
      { run: "get cm -l set=pair -o 'jsonpath={range .items[*]}{.metadata.name}={.data.a}{\"\\n\"}{end}'" },
      { run: "get cm -l set=pair -o custom-columns=NAME:.metadata.name,A:.data.a,NONE:.data.none" },
      { run: "get cm -l set=pair -o 'go-template={{range .items}}{{.metadata.name}} {{end}}'" },
      { run: "get cm -l set=pair --sort-by=.data.a" },
      { run: "get cm -l set=pair --sort-by=.metadata.name -o name" },
      { run: "get cm -l 'order in (2,3)'" },
      { run: "get cm -l set=pair,order!=2" },
      { run: "get cm --field-selector metadata.name=second" },
      { run: "get cm --field-selector data.a=1", code: 1 },
      { run: "get cm -A --field-selector metadata.namespace=NAMESPACE,metadata.name=first" },
      { run: "get cm -A -l set=TAG" },
      { run: "get cm,secret -l set=pair" },
      { run: "get cm/first cm/second" },
      { run: "get cm first absent", code: 1, shows: /NotFound/ },
      { run: "get cm absent --ignore-not-found" },
      { run: "get cm -l set=none", shows: /No resources found/ },
      { run: "get gadgets", code: 1, shows: /doesn't have a resource type/ },
      { run: "get cm -l set=pair --chunk-size=1" },
      { run: "get all", shows: /No resources found/ },
      { run: "describe cm first" },
      { run: "describe cm -l set=pair" },
      { run: "describe cm absent", code: 1 },
    ],
  },
  {
    title: "changes",
    steps: [
      { run: "create configmap made --from-literal=a=1 --from-literal=b=2", shows: /made created/ },
      { run: "create configmap made --from-literal=a=1", code: 1, shows: /already exists/ },
      { run: "label cm made tier=front", shows: /labeled/ },
      { run: "label cm made tier=back", code: 1, shows: /overwrite/ },
      { run: "label cm made tier=back --overwrite" },
      { run: "label cm made tier-", shows: /unlabeled/ },
      { run: "label cm made 'bad label=x'", code: 1 },
      { run: "annotate cm made note=x", shows: /annotated/ },
      { run: "annotate cm made note-" },
      { run: 'patch cm made -p \'{"data":{"c":"3"}}\'', shows: /patched/ },
      { run: 'patch cm made -p \'{"data":{"c":"3"}}\'', shows: /no change/ },
      { run: 'patch cm made --type=merge -p \'{"data":{"a":null}}\'' },
      { run: 'patch cm made --type=json -p \'[{"op":"replace","path":"/data/b","value":"9"}]\'' },
      { run: 'patch cm made --type=json -p \'[{"op":"test","path":"/data/b","value":"1"}]\'', code: 1 },
      { run: 'patch cm made --type=json -p \'[{"op":"remove","path":"/data/zz"}]\'', code: 1 },
      { run: 'patch cm made -p \'{"data":{"c":3}}\'', code: 1, differs: ownWords },
      { run: 'patch cm made --type=merge -p \'{"metadata":{"name":"other"}}\'', code: 1 },
      { run: "patch cm absent -p '{}'", code: 1 },
      { run: 'patch cm made -p \'{"data":{"d":"4"}}\' --dry-run=server -o yaml' },
      { run: "edit cm made", editor: `sed -i 's/b: "9"/b: "10"/'`, shows: /edited/ },
      { run: "edit cm made", editor: "true", shows: /cancelled, no changes/ },
      { run: "edit cm made -o json", editor: "sed -i s/made/unmade/", code: 1 },
      { run: "get cm made -o 'jsonpath={.data}'", shows: /"b":"10"/ },
      {
        run: "replace -f -",
        stdin: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: made}\ndata: {new: all}\n",
        shows: /replaced/,
      },
      {
        run: "replace --force -f -",
        stdin: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: made}\ndata: {newer: all}\n",
        shows: /replaced/,
      },
      { run: "replace -f -", stdin: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: absent}\n", code: 1 },
      {
        run: "replace -f -",
        stdin: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: made, resourceVersion: "1"}\n',
        code: 1,
        shows: /has been modified/,
      },
      { run: "patch cm made --type=merge -p '{\"immutable\":true}'" },
      { run: 'patch cm made --type=merge -p \'{"data":{"newer":"none"}}\'', code: 1, shows: /immutable/ },
      { run: "get cm made -o yaml" },
    ],
  },
  {
    title: "deletes",
    steps: [
      { run: "create cm one" },
      { run: "create cm two" },
      { run: "create cm three" },
      { run: "label cm one two group=a" },
      { run: "delete cm -l group=a", shows: /"two".*deleted/ },
      { run: "delete cm three --dry-run=server", shows: /server dry run/ },
      { run: "delete cm three -o name" },
      { run: "delete cm three", code: 1, shows: /NotFound/ },
      { run: "delete cm three --ignore-not-found" },
      {
        run: "apply -f -",
        stdin: "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: held, finalizers: [example.com/hold]}\n",
      },
      { run: "delete cm held --wait=false", shows: /deleted/ },
      { run: "get cm held -o 'jsonpath={.metadata.finalizers}'", shows: /hold/ },
      { run: "delete cm held --timeout=2s", code: 1, shows: /timed out/ },
      { run: "wait --for=delete cm/held --timeout=2s", code: 1, shows: /timed out/ },
      { run: 'patch cm held --type=merge -p \'{"metadata":{"finalizers":null}}\'' },
      { run: "wait --for=delete cm/held --timeout=20s" },
      { run: "get cm held", code: 1 },
      { run: "create namespace extra-TAG", shows: /created/ },
      { run: "create cm inside -n extra-TAG" },
      { run: "describe namespace extra-TAG" },
      { run: "delete namespace extra-TAG" },
      { run: "get cm inside -n extra-TAG", code: 1 },
      { run: "create cm late -n extra-TAG", code: 1, shows: /not found/ },
    ],
  },
  {
    title: "watches and waits",
    steps: [
      { run: "create cm seen --from-literal=phase=new" },
      {
        run: "get cm seen -w",
        meanwhile: ["label cm seen a=b", 'patch cm seen -p \'{"data":{"more":"1"}}\''],
        shows: /seen +2 /,
      },
      {
        run: "get cm -w --field-selector metadata.name=seen --output-watch-events",
        meanwhile: ["delete cm seen"],
        shows: /DELETED +seen/,
      },
      { run: "create cm seen --from-literal=phase=old" },
      { run: "wait --for=jsonpath={.data.phase}=old cm/seen --timeout=5s", shows: /condition met/ },
      { run: "wait --for=jsonpath={.data.phase}=new cm/seen --timeout=1s", code: 1, shows: /timed out/ },
      { run: "wait --for=condition=Ready cm/absent --timeout=1s", code: 1, shows: /NotFound/ },
      { run: "delete cm seen" },
      { run: "create cm seen" },
      { run: "wait --for=create cm/seen --timeout=5s" },
    ],
  },
  {
    title: "makes objects from the command line",
    files: { "conf/a.txt": "alpha\n", "conf/b.txt": "beta\n", "list.env": "A=1\nB=2\n" },
    steps: [
      { run: "create configmap files --from-file=conf --from-file=x=conf/a.txt" },
      { run: "create configmap env --from-env-file=list.env" },
      { run: "create secret generic keys --from-literal=password=x" },
      {
        run: "create secret docker-registry pull --docker-server=example.com --docker-username=u --docker-password=p",
      },
      { run: "create serviceaccount robot" },
      { run: "create role reader --verb=get,list --resource=pods,configmaps" },
      { run: "create rolebinding reads --role=reader --serviceaccount=NAMESPACE:robot" },
      { run: "create clusterrole reader-TAG --verb=get --non-resource-url=/healthz" },
      { run: "create clusterrolebinding reads-TAG --clusterrole=reader-TAG --user=somebody" },
      { run: "create deployment made --image=example.com/app:1 --replicas=2" },
      { run: "create job once --image=example.com/app:1 -- run this" },
      { run: "create cronjob nightly --image=example.com/app:1 '--schedule=0 3 * * *' -- run that" },
      { run: "create job by-hand --from=cronjob/nightly" },
      { run: "create service clusterip front --tcp=80:8080" },
      { run: "create service externalname far --external-name=example.com" },
      { run: "create ingress web --rule=example.com/=front:80" },
      { run: "create poddisruptionbudget keep --selector=app=made --min-available=1" },
      { run: "create priorityclass low-TAG --value=10" },
      { run: "create quota limits --hard=pods=5" },
      { run: "get configmap files env -o yaml" },
      { run: "describe secret keys pull" },
      { run: "get secrets" },
      { run: "get roles,rolebindings,serviceaccounts" },
      { run: "get rolebindings -o wide" },
      { run: "describe role reader" },
      { run: "describe rolebinding reads" },
      { run: "describe clusterrole reader-TAG" },
      { run: "get clusterrole reader-TAG" },
      { run: "get clusterrolebinding reads-TAG -o wide" },
      { run: "describe serviceaccount robot" },
      { run: "get ingress,pdb,service -o wide" },
      { run: "describe ingress web", differs: kept },
      { run: "describe pdb keep", differs: kept },
      { run: "describe service front", differs: kept },
      { run: "get priorityclass low-TAG" },
      { run: "delete clusterrole/reader-TAG clusterrolebinding/reads-TAG priorityclass/low-TAG" },
      { run: "set subject rolebinding reads --user=another" },
      { run: "delete role,rolebinding --all" },
    ],
  },
];
