import type { JsonObject } from "../base/json.ts";
import { type Answer, type Call, json } from "./call.ts";
import { type Cluster, timestamp } from "./cluster.ts";
import { methodNotAllowed } from "./failure.ts";
import { requireFitting } from "./fitting.ts";
import type { Kind } from "./kinds.ts";
import { textAt } from "./value.ts";

/**
 * Questions that are asked by creating an object which is never stored: who am I, may I. Everybody with a
 * valid token may do everything here; RBAC objects are kept and not enforced.
 */
export function review(cluster: Cluster, call: Call, kind: Kind): Answer | undefined {
  if (kind.group !== "authentication.k8s.io" && kind.group !== "authorization.k8s.io") return undefined;
  if (call.method !== "POST") throw methodNotAllowed();
  const namespace = textAt(call.body, "metadata", "namespace");
  const body = requireFitting(kind, { namespace, name: "" }, call.body);
  // A SelfSubjectReview alone tells when it was answered.
  const metadata = kind.kind === "SelfSubjectReview" ? { creationTimestamp: timestamp(call.now) } : {};
  return json(201, { ...body, metadata, status: statusOf(cluster, call, kind, body) });
}

function statusOf(cluster: Cluster, call: Call, kind: Kind, body: JsonObject): JsonObject {
  switch (kind.kind) {
    case "TokenReview": {
      const user = cluster.tokens.userOf(textAt(body, "spec", "token"));
      if (user === undefined) return { authenticated: false, error: "the token is not valid", user: {} };
      return { authenticated: true, user: { username: user.name, uid: user.uid, groups: user.groups } };
    }
    case "SelfSubjectReview": {
      const { name, uid, groups } = call.user;
      return { userInfo: { username: name, uid, groups } };
    }
    case "SelfSubjectRulesReview":
      return {
        resourceRules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }],
        nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
        incomplete: false,
      };
    default:
      return { allowed: true, reason: "the embedded cluster keeps RBAC objects and does not enforce them" };
  }
}
