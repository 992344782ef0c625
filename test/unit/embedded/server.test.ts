import { X509Certificate } from "node:crypto";
import { statSync } from "node:fs";
import type { IncomingHttpHeaders } from "node:http";
import { request } from "node:https";
import { Readable } from "node:stream";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { manualClock } from "../../support/manual-clock.ts";
import { ask, type Body, embedded, firstEvents, map, maps, settled } from "./embedded-fixture.ts";

type Answer = {
  readonly status: number;
  readonly body: Body;
  readonly warning: string;
  readonly headers: IncomingHttpHeaders;
};

function fetched(
  server: { readonly url: string; readonly certificate: string },
  path: string,
  options: {
    readonly token?: string;
    readonly method?: string;
    readonly body?: string;
    readonly type?: string;
  } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = {
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      "content-type": options.type ?? "application/json",
    };
    const call = request(
      `${server.url}${path}`,
      { method: options.method ?? "GET", headers, ca: server.certificate },
      (response) => {
        let text = "";
        response.on("data", (chunk) => {
          text += String(chunk);
        });
        response.on("end", () => {
          const isJson = response.headers["content-type"] === "application/json";
          const body: unknown = isJson ? JSON.parse(text) : text;
          resolve({
            status: response.statusCode ?? 0,
            body,
            warning: String(response.headers["warning"] ?? ""),
            headers: response.headers,
          });
        });
      },
    );
    call.on("error", reject);
    call.end(options.body);
  });
}

describe("the server over HTTPS", () => {
  it("keeps idle connections for as long as a real API server", async () => {
    const server = await embedded();
    const { headers } = await fetched(server, "/readyz");
    expect(headers).toMatchObject({ connection: "keep-alive", "keep-alive": "timeout=90" });
  });

  it("says nothing to who has no token, except that it is healthy", async () => {
    const server = await embedded();
    expect(await fetched(server, "/readyz")).toMatchObject({ status: 200, body: "ok" });
    for (const token of [undefined, "wrong", `${server.token}x`, "a.b.c"]) {
      const answer = await fetched(server, "/api/v1/namespaces", token === undefined ? {} : { token });
      expect(answer).toMatchObject({ status: 401, body: { kind: "Status", reason: "Unauthorized" } });
    }
    expect(await fetched(server, "/api/v1/namespaces", { token: server.token })).toMatchObject({
      status: 200,
    });
  });

  it("has a certificate for the loopback interface that vouches for itself", async () => {
    const certificate = new X509Certificate((await embedded()).certificate);
    expect(certificate.checkIP("127.0.0.1")).toBe("127.0.0.1");
    expect(certificate.checkHost("localhost")).toBe("localhost");
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.ca).toBe(true);
  });

  it("writes a kubeconfig that only its user can read", async () => {
    const server = await embedded();
    expect(statSync(server.kubeconfigPath).mode & 0o777).toBe(0o600);
    expect(server.kubeconfig).toContain(server.url);
  });

  it("knows service accounts by the tokens that it issued, until they expire", async () => {
    const clock = manualClock(Date.parse("2030-01-01T00:00:00Z"));
    const server = await embedded({ clock });
    await settled();
    const path = "/api/v1/namespaces/default/serviceaccounts/default/token";
    const body = {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: { expirationSeconds: 600 },
    };
    const issued = await ask(server.api, "POST", path, { body });
    expect(issued.body.status.expirationTimestamp).toBe("2030-01-01T00:10:00Z");
    const { token } = issued.body.status;
    const review = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
    const options = { token, method: "POST", body: JSON.stringify(review) };
    const who = await fetched(server, "/apis/authentication.k8s.io/v1/selfsubjectreviews", options);
    expect(who.body.status.userInfo.username).toBe("system:serviceaccount:default:default");
    clock.advance(600_000);
    expect(await fetched(server, "/version", { token })).toMatchObject({ status: 401 });
  });

  it("refuses bodies that are too large, or would change what objects are", async () => {
    const server = await embedded();
    const post = (body: string) => fetched(server, maps(), { token: server.token, method: "POST", body });
    expect(await post("x".repeat(4 << 20))).toMatchObject({ status: 413 });
    const polluted = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","__proto__":{"a":1}}}';
    expect(await post(polluted)).toMatchObject({ status: 400, body: { reason: "BadRequest" } });
  });

  it("warns of unknown fields, and refuses them when it is asked to be strict", async () => {
    const server = await embedded();
    const body = JSON.stringify({ ...map("warned"), extra: 1 });
    const send = (query: string) =>
      fetched(server, `${maps()}${query}`, { token: server.token, method: "POST", body });
    expect(await send("?fieldValidation=Strict")).toMatchObject({ status: 400 });
    const warned = await send("");
    expect(warned).toMatchObject({ status: 201, warning: '299 - "unknown field \\"extra\\""' });
    expect(warned.body.extra).toBeUndefined();
  });
});

describe("fields that stand twice", () => {
  it("are warned of, and refused when it is asked to be strict", async () => {
    const server = await embedded();
    const body =
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"twice"},"data":{"a":"1","b":"{","a":"2"}}';
    const send = (query: string) =>
      fetched(server, `${maps()}${query}`, { token: server.token, method: "POST", body });
    const refused = await send("?fieldValidation=Strict");
    expect(refused).toMatchObject({ status: 400 });
    expect(refused.body.message).toContain('duplicate field "data.a"');
    expect(await send("")).toMatchObject({ status: 201, warning: '299 - "duplicate field \\"data.a\\""' });
  });
});

describe("what is not done", () => {
  it.each([
    ["pods/exec", "POST", "/api/v1/namespaces/default/pods/x/exec"],
    ["pods/portforward", "POST", "/api/v1/namespaces/default/pods/x/portforward"],
    ["pods/resize", "PUT", "/api/v1/namespaces/default/pods/x/resize"],
  ] as const)("is refused by name: %s", async (what, method, path) => {
    const { api } = await embedded();
    const answer = await ask(api, method, path);
    expect(answer).toMatchObject({ status: 501, body: { reason: "NotImplemented" } });
    expect(answer.body.message).toContain(what);
  });

  it("includes rules in CEL and conversion webhooks of custom resource definitions", async () => {
    const { api } = await embedded();
    const definition = (schema: object, conversion: object) => ({
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "things.example.com" },
      spec: {
        group: "example.com",
        scope: "Cluster",
        names: { kind: "Thing", plural: "things" },
        conversion,
        versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema } }],
      },
    });
    const path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    const ruled = { type: "object", "x-kubernetes-validations": [{ rule: "true" }] };
    const cel = await ask(api, "POST", path, { body: definition(ruled, { strategy: "None" }) });
    expect(cel).toMatchObject({ status: 501 });
    expect(cel.body.message).toContain("x-kubernetes-validations");
    const hook = await ask(api, "POST", path, {
      body: definition({ type: "object" }, { strategy: "Webhook" }),
    });
    expect(hook.body.message).toContain("conversion webhooks");
  });
});

describe("lists and watches", () => {
  it("refuse to go on after five minutes, and show one state until then", async () => {
    const clock = manualClock(Date.parse("2030-01-01T00:00:00Z"));
    const { api } = await embedded({ clock });
    for (const name of ["a", "b", "c"]) await ask(api, "POST", maps(), { body: map(name) });
    const page = await ask(api, "GET", maps(), { query: { limit: "1" } });
    await ask(api, "DELETE", maps("b"));
    const query = { limit: "5", continue: page.body.metadata.continue };
    const rest = await ask(api, "GET", maps(), { query });
    expect(rest.body.items.map((item: Body) => item.metadata.name)).toEqual(["b", "c"]);
    clock.advance(301_000);
    expect(await ask(api, "GET", maps(), { query })).toMatchObject({
      status: 410,
      body: { reason: "Expired" },
    });
    const bent = { continue: "bent" };
    expect(await ask(api, "GET", maps(), { query: bent })).toMatchObject({ status: 400 });
  });

  it("wait without looking up all the time when nobody wants bookmarks", async () => {
    const { api } = await embedded();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    onTestFinished(() => void vi.useRealTimers());
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    const watch = api.watch(maps("none"), { resourceVersion: "0" }, stop.signal)[Symbol.asyncIterator]();
    void watch.next();
    await settled();
    await vi.advanceTimersByTimeAsync(30_000);
    await settled();
    const before = performance.now();
    await vi.advanceTimersToNextTimerAsync();
    expect(performance.now() - before).toBeGreaterThan(10_000);
  });

  it("begin with what is there, end the beginning with a bookmark, and go on with what happens", async () => {
    const { api } = await embedded();
    await ask(api, "POST", maps(), { body: map("a") });
    const query = {
      sendInitialEvents: "true",
      resourceVersionMatch: "NotOlderThan",
      allowWatchBookmarks: "true",
    };
    const events = firstEvents(api, maps(), query, 3);
    await settled();
    await ask(api, "POST", maps(), { body: map("b") });
    const seen = (await events).map(({ type, object }) => [type, (object as Body).metadata.name]);
    expect(seen).toEqual([
      ["ADDED", "a"],
      ["BOOKMARK", undefined],
      ["ADDED", "b"],
    ]);
  });

  it("show who leaves a selection as deleted", async () => {
    const { api } = await embedded();
    const made = await ask(api, "POST", maps(), { body: map("a", {}, { labels: { on: "yes" } }) });
    const query = { labelSelector: "on=yes", resourceVersion: made.body.metadata.resourceVersion };
    const contentType = "application/merge-patch+json";
    await ask(api, "PATCH", maps("a"), { contentType, body: { metadata: { labels: { on: "no" } } } });
    const [event] = await firstEvents(api, maps(), query, 1);
    expect(event).toMatchObject({ type: "DELETED", object: { metadata: { labels: { on: "yes" } } } });
  });

  it("answer a watch from too long ago with 410", async () => {
    const { api } = await embedded();
    const [event] = await firstEvents(api, maps(), { resourceVersion: "999999" }, 1);
    expect(event).toMatchObject({ type: "ERROR", object: { code: 410 } });
  });
});

describe("logs", () => {
  it("come from where the kubelet says", async () => {
    const { api, serveLogs } = await embedded();
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "p" },
      spec: { containers: [{ name: "c", image: "x" }] },
    };
    await ask(api, "POST", "/api/v1/namespaces/default/pods", { body: pod });
    const path = "/api/v1/namespaces/default/pods/p/log";
    expect(await ask(api, "GET", path)).toMatchObject({ status: 400 });
    const asked: unknown[] = [];
    serveLogs(async (wanted) => {
      asked.push(wanted);
      return wanted.previous === true ? undefined : Readable.from(["text"]);
    });
    const whole = { namespace: "default", pod: "p", container: "c", follow: false, previous: false };
    expect(await ask(api, "GET", path)).toEqual({ status: 200, body: "text" });
    const some = { query: { tailLines: "3", limitBytes: "10", stream: "All" } };
    expect(await ask(api, "GET", path, some)).toEqual({ status: 200, body: "text" });
    expect(asked).toEqual([whole, { ...whole, tailLines: 3, limitBytes: 10 }]);
    const before = await ask(api, "GET", path, { query: { previous: "true" } });
    expect(before).toMatchObject({ status: 400, body: { message: expect.stringContaining("not found") } });
  });

  it.each([
    [{ sinceSeconds: "3" }, 501],
    [{ sinceTime: "2026-01-01T00:00:00Z" }, 501],
    [{ timestamps: "true" }, 501],
    [{ stream: "Stderr" }, 501],
    [{ tailLines: "-1" }, 422],
    [{ limitBytes: "0" }, 422],
    [{ tailLines: "some" }, 400],
  ])("refuse what they cannot answer: %o", async (query, status) => {
    const { api } = await embedded();
    const spec = { containers: [{ name: "c", image: "x" }] };
    const body = { apiVersion: "v1", kind: "Pod", metadata: { name: "p" }, spec };
    await ask(api, "POST", "/api/v1/namespaces/default/pods", { body });
    const path = "/api/v1/namespaces/default/pods/p/log";
    expect(await ask(api, "GET", path, { query })).toMatchObject({ status });
  });
});
