import { expect, it } from "vitest";
import type { KubeError } from "../../../src/ports/kube/kube-error.ts";
import { configMap, configMaps, deployment, deployments, path, write } from "./fixtures.ts";
import { kubeServers } from "./servers.ts";

const refused = (promise: Promise<unknown>): Promise<KubeError> =>
  promise.then(
    () => Promise.reject(new Error("was not refused")),
    (error: KubeError) => error,
  );

const onEveryServer = kubeServers();

onEveryServer("creating and reading objects", (server) => {
  it("creates an object and gives it identity", async () => {
    const { kube, namespace } = server();
    const created = await kube.create(configMaps, configMap(namespace, "made", { a: "1" }), write);
    expect(created).toMatchObject({ apiVersion: "v1", kind: "ConfigMap", data: { a: "1" } });
    expect(created.metadata.uid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
    expect(created.metadata.resourceVersion).toMatch(/^[1-9][0-9]*$/);
    expect(created.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(await kube.get(configMaps, { namespace, name: "made" })).toEqual(created);
  });

  it("answers 201 to a create and 409 AlreadyExists to the second one", async () => {
    const { raw, kube, namespace } = server();
    const body = configMap(namespace, "twice");
    expect((await raw.request("POST", path.configMaps(namespace), { body })).status).toBe(201);
    const error = await refused(kube.create(configMaps, configMap(namespace, "twice"), write));
    expect(error).toMatchObject({ code: 409, reason: "AlreadyExists", disposition: "retry" });
    expect(error.details).toMatchObject({ name: "twice", kind: "configmaps" });
  });

  it("makes a name from generateName", async () => {
    const { raw, namespace } = server();
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { generateName: "made-up-" } };
    const names = new Set<string>();
    for (let n = 0; n < 3; n += 1) {
      const { status, body: made } = await raw.request("POST", path.configMaps(namespace), { body });
      expect(status).toBe(201);
      expect(made.metadata).toMatchObject({ generateName: "made-up-", namespace });
      expect(made.metadata.name).toMatch(/^made-up-[a-z0-9]{5}$/);
      names.add(made.metadata.name);
    }
    expect(names.size).toBe(3);
  });

  it("answers 404 NotFound for what is not there", async () => {
    const { raw, kube, namespace } = server();
    expect(await kube.get(configMaps, { namespace, name: "absent" })).toBeUndefined();
    const { status, body } = await raw.request("GET", path.configMaps(namespace, "absent"));
    expect(status).toBe(404);
    expect(body).toMatchObject({
      apiVersion: "v1",
      kind: "Status",
      status: "Failure",
      reason: "NotFound",
      message: 'configmaps "absent" not found',
      details: { name: "absent", kind: "configmaps" },
      code: 404,
    });
    expect((await raw.request("DELETE", path.configMaps(namespace, "absent"))).status).toBe(404);
    expect((await raw.request("GET", "/apis/nothing.example.com/v1/things")).status).toBe(404);
    const body2 = configMap(namespace, "absent", {}, { resourceVersion: "1" });
    expect((await raw.request("PUT", path.configMaps(namespace, "absent"), { body: body2 })).status).toBe(
      404,
    );
  });
});

onEveryServer("refusals of objects", (server) => {
  it("refuses to create in a namespace that is not there", async () => {
    const { kube, tag } = server();
    const error = await refused(kube.create(configMaps, configMap(`no-${tag}`, "lost"), write));
    expect(error).toMatchObject({ code: 404, reason: "NotFound", disposition: "stall" });
  });

  it("refuses names, labels and namespaces that are not valid", async () => {
    const { raw, namespace } = server();
    const create = (body: unknown) => raw.request("POST", path.configMaps(namespace), { body });
    const capital = await create(configMap(namespace, "Capital"));
    expect(capital.status).toBe(422);
    expect(capital.body).toMatchObject({ reason: "Invalid", code: 422 });
    expect(capital.body.details.causes).toContainEqual(
      expect.objectContaining({ reason: "FieldValueInvalid", field: "metadata.name" }),
    );
    const labels = await create(configMap(namespace, "labelled", {}, { labels: { a: "not a label!" } }));
    expect(labels).toMatchObject({ status: 422, body: { reason: "Invalid" } });
    const elsewhere = await create(configMap("default", "elsewhere"));
    expect(elsewhere).toMatchObject({ status: 400, body: { reason: "BadRequest" } });
    const nameless = await create({ apiVersion: "v1", kind: "ConfigMap", metadata: {} });
    expect(nameless).toMatchObject({ status: 422, body: { reason: "Invalid" } });
  });

  it("takes from the path of a built-in kind what the body leaves out, and nothing else", async () => {
    const { raw, namespace } = server();
    const all = path.configMaps(namespace);
    const metadata = { name: "untold" };
    const told = { apiVersion: "v1", kind: "ConfigMap" };
    expect(await raw.request("POST", all, { body: { metadata } })).toMatchObject({ status: 201, body: told });
    const one = path.configMaps(namespace, "untold");
    const replaced = await raw.request("PUT", one, { body: { kind: "", metadata, data: { a: "1" } } });
    expect(replaced).toMatchObject({ status: 200, body: { ...told, data: { a: "1" } } });
    const review = await raw.request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {
      body: {},
    });
    expect(review).toMatchObject({ status: 201, body: { kind: "SelfSubjectReview" } });
    const applied = await raw.request("PATCH", `${one}?fieldManager=m`, {
      body: { kind: "ConfigMap", metadata },
      contentType: "application/apply-patch+yaml",
    });
    expect(applied).toMatchObject({ status: 400, body: { reason: "BadRequest" } });
    const number = await raw.request("POST", all, { body: { kind: 1, metadata } });
    expect(number).toMatchObject({ status: 400, body: { reason: "BadRequest" } });
  });

  it("replaces nothing by an object without a name, nor scales by what says nothing", async () => {
    const { raw, kube, namespace } = server();
    await kube.create(configMaps, configMap(namespace, "named", { a: "1" }), write);
    const spec = { replicas: 2, paused: true };
    await kube.create(deployments, deployment(namespace, "scaled", undefined, spec), write);
    const bad = { status: 400, body: { reason: "BadRequest" } };
    const named = path.configMaps(namespace, "named");
    expect(await raw.request("PUT", named, { body: { data: { a: "2" } } })).toMatchObject(bad);
    const scale = `${path.deployments(namespace, "scaled")}/scale`;
    for (const body of [{}, []]) expect(await raw.request("PUT", scale, { body })).toMatchObject(bad);
    const contentType = "application/merge-patch+json";
    expect(await raw.request("PATCH", scale, { body: [], contentType })).toMatchObject(bad);
    expect(await raw.request("GET", scale)).toMatchObject({ body: { spec: { replicas: 2 } } });
  });

  it("refuses bodies that are of another kind, or no JSON", async () => {
    const { raw, namespace } = server();
    const other = { apiVersion: "v1", kind: "Secret", metadata: { name: "other" } };
    const kind = await raw.request("POST", path.configMaps(namespace), { body: other });
    expect(kind).toMatchObject({ status: 400, body: { reason: "BadRequest" } });
    const text = await raw.request("POST", path.configMaps(namespace), { body: "{not json" });
    expect(text).toMatchObject({ status: 400, body: { reason: "BadRequest" } });
    const media = await raw.request("POST", path.configMaps(namespace), {
      body: "x",
      contentType: "text/csv",
    });
    expect(media).toMatchObject({ status: 415, body: { reason: "UnsupportedMediaType" } });
  });
});

onEveryServer("replacing objects", (server) => {
  it("replaces an object, and only from the version that was read", async () => {
    const { kube, namespace } = server();
    const first = await kube.create(configMaps, configMap(namespace, "replaced", { a: "1", b: "1" }), write);
    const second = await kube.replace(configMaps, { ...first, data: { a: "2" } }, write);
    expect(second["data"]).toEqual({ a: "2" });
    expect(second.metadata.uid).toBe(first.metadata.uid);
    expect(second.metadata.creationTimestamp).toBe(first.metadata.creationTimestamp);
    expect(Number(second.metadata.resourceVersion)).toBeGreaterThan(Number(first.metadata.resourceVersion));
    const stale = await refused(kube.replace(configMaps, { ...first, data: { a: "3" } }, write));
    expect(stale).toMatchObject({ code: 409, reason: "Conflict", disposition: "retry" });
    const otherUid = {
      ...second,
      metadata: { ...second.metadata, uid: "00000000-0000-0000-0000-000000000000" },
    };
    expect(await refused(kube.replace(configMaps, otherUid, write))).toMatchObject({ code: 409 });
  });

  it("keeps the resourceVersion when a write changes nothing", async () => {
    const { kube, raw, namespace } = server();
    const made = await kube.create(configMaps, configMap(namespace, "same", { a: "1" }), write);
    const again = await kube.replace(configMaps, made, write);
    expect(again.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
    const patched = await kube.mergePatch(
      configMaps,
      { namespace, name: "same" },
      { data: { a: "1" } },
      write,
    );
    expect(patched.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
    const unconditional = { ...made, metadata: { name: "same", namespace }, data: { a: "2" } };
    const put = await raw.request("PUT", path.configMaps(namespace, "same"), { body: unconditional });
    expect(put).toMatchObject({ status: 200, body: { data: { a: "2" } } });
  });

  it("counts generations for the spec, not for metadata and status", async () => {
    const { kube, namespace } = server();
    const name = { namespace, name: "generations" };
    const made = await kube.create(deployments, deployment(namespace, "generations"), write);
    expect(made.metadata.generation).toBe(1);
    const labelled = await kube.mergePatch(deployments, name, { metadata: { labels: { x: "y" } } }, write);
    expect(labelled.metadata.generation).toBe(1);
    const scaled = await kube.mergePatch(deployments, name, { spec: { replicas: 3 } }, write);
    expect(scaled.metadata.generation).toBe(2);
    const status = { status: { observedGeneration: 2, replicas: 3 } };
    const reported = await kube.mergePatch(deployments, name, status, { ...write, subresource: "status" });
    expect(reported.metadata.generation).toBe(2);
    expect(reported["status"]).toMatchObject({ observedGeneration: 2 });
  });
});

onEveryServer("fields of objects", (server) => {
  it("keeps status out of the object and the object out of status", async () => {
    const { kube, raw, namespace } = server();
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "isolated", namespace, labels: { a: "1" } },
      spec: { containers: [{ name: "app", image: "example.com/app:1" }] },
      status: { phase: "Succeeded", message: "made up" },
    };
    const made = await raw.request("POST", path.pods(namespace), { body: pod });
    expect(made.status).toBe(201);
    expect(made.body.status).toMatchObject({ phase: "Pending" });
    expect(made.body.status.message).toBeUndefined();
    const place = path.pods(namespace, "isolated");
    const patch = {
      metadata: { labels: { a: "2" } },
      spec: { hostNetwork: true },
      status: { phase: "Running" },
    };
    const options = { body: patch, contentType: "application/merge-patch+json" };
    const reported = await raw.request("PATCH", `${place}/status`, options);
    expect(reported).toMatchObject({ status: 200, body: { status: { phase: "Running" } } });
    expect(reported.body.spec.hostNetwork).toBeUndefined();
    const specOnly = { metadata: { labels: { a: "3" } }, status: { phase: "Failed" } };
    const changed = await raw.request("PATCH", place, { ...options, body: specOnly });
    expect(changed.body).toMatchObject({ metadata: { labels: { a: "3" } }, status: { phase: "Running" } });
    const read = await raw.request("GET", `${place}/status`);
    expect(read.body).toMatchObject({ kind: "Pod", status: { phase: "Running" } });
    expect(
      await kube.get({ ...configMaps, kind: "Pod", plural: "pods" }, { namespace, name: "isolated" }),
    ).toBeDefined();
  });
});

onEveryServer("defaults and rules of built-in kinds", (server) => {
  it("fills in defaults of built-in kinds", async () => {
    const { kube, namespace } = server();
    const made = await kube.create(deployments, deployment(namespace, "defaulted"), write);
    expect(made["spec"]).toMatchObject({
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      template: {
        spec: {
          restartPolicy: "Always",
          terminationGracePeriodSeconds: 30,
          dnsPolicy: "ClusterFirst",
          schedulerName: "default-scheduler",
          containers: [
            {
              name: "app",
              imagePullPolicy: "IfNotPresent",
              terminationMessagePath: "/dev/termination-log",
              terminationMessagePolicy: "File",
              resources: {},
            },
          ],
        },
      },
    });
  });

  it("refuses changes of immutable fields", async () => {
    const { kube, namespace } = server();
    await kube.create(deployments, deployment(namespace, "fixed"), write);
    const selector = { spec: { selector: { matchLabels: { app: "other" } } } };
    const error = await refused(kube.mergePatch(deployments, { namespace, name: "fixed" }, selector, write));
    expect(error).toMatchObject({ code: 422, reason: "Invalid", disposition: "stall" });
    const frozen = { ...configMap(namespace, "frozen", { a: "1" }), immutable: true };
    await kube.create(configMaps, frozen, write);
    const data = kube.mergePatch(configMaps, { namespace, name: "frozen" }, { data: { a: "2" } }, write);
    expect(await refused(data)).toMatchObject({ code: 422, reason: "Invalid" });
  });

  it("reads and writes kinds of the whole cluster", async () => {
    const { raw, tag } = server();
    const name = `cluster-wide-${tag}`;
    const body = {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name },
      rules: [],
    };
    const roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
    expect((await raw.request("POST", roles, { body })).status).toBe(201);
    const read = await raw.request("GET", `${roles}/${name}`);
    expect(read.body.metadata.namespace).toBeUndefined();
    expect((await raw.request("DELETE", `${roles}/${name}`)).status).toBe(200);
  });

  it("turns stringData of a Secret into data", async () => {
    const { raw, namespace } = server();
    const secret = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "words" },
      data: { a: "b2xk", b: "a2VwdA==" },
      stringData: { a: "new" },
    };
    const made = await raw.request("POST", path.secrets(namespace), { body: secret });
    expect(made.body).toMatchObject({ type: "Opaque", data: { a: "bmV3", b: "a2VwdA==" } });
    expect(made.body.stringData).toBeUndefined();
    const wrong = { ...secret, metadata: { name: "wrong" }, data: { a: "not base64!" } };
    const refusal = await raw.request("POST", path.secrets(namespace), { body: wrong });
    expect(refusal).toMatchObject({ status: 400, body: { reason: "BadRequest" } });
  });
});
