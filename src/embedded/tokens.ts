import { Buffer } from "node:buffer";
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { isObject, numberAt, textAt } from "./value.ts";

export type User = { readonly name: string; readonly groups: readonly string[]; readonly uid: string };

type ServiceAccountToken = {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly audiences: readonly string[];
  /** Milliseconds since the epoch. */
  readonly expires: number;
};

const issuer = "https://kubernetes.default.svc";
const admin: User = { name: "admin", groups: ["system:masters", "system:authenticated"], uid: "admin" };

/**
 * Bearer tokens: one for the administrator, kept in the state folder (mode 0600), and signed ones for
 * service accounts (JWT, HS256, signed with a key that is kept there too).
 */
export class Tokens {
  readonly admin: string;
  readonly #key: Buffer;
  readonly #clock: Clock;

  constructor(directory: string, clock: Clock) {
    this.admin = kept(join(directory, "admin-token"));
    this.#key = Buffer.from(kept(join(directory, "signing-key")), "hex");
    this.#clock = clock;
  }

  /** Who a token stands for; undefined when it is nobody's or has expired. */
  userOf(token: string): User | undefined {
    if (sameText(token, this.admin)) return admin;
    const [head = "", body = "", signature = ""] = token.split(".");
    if (signature === "" || !sameText(signature, this.#sign(`${head}.${body}`))) return undefined;
    const claims: unknown = JSON.parse(Buffer.from(body, "base64url").toString("utf8"));
    const expires = numberAt(claims, "exp") ?? 0;
    if (!isObject(claims) || expires * 1000 <= this.#clock.now()) return undefined;
    const subject = textAt(claims, "sub");
    const namespace = textAt(claims, "kubernetes.io", "namespace");
    return {
      name: subject,
      groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
      uid: textAt(claims, "kubernetes.io", "serviceaccount", "uid"),
    };
  }

  /** A new token of a service account. */
  issue(account: ServiceAccountToken): string {
    const now = Math.floor(this.#clock.now() / 1000);
    const claims = {
      aud: account.audiences.length === 0 ? [issuer] : account.audiences,
      exp: Math.floor(account.expires / 1000),
      iat: now,
      nbf: now,
      iss: issuer,
      "kubernetes.io": {
        namespace: account.namespace,
        serviceaccount: { name: account.name, uid: account.uid },
      },
      sub: `system:serviceaccount:${account.namespace}:${account.name}`,
    };
    const text = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const signed = `${text({ alg: "HS256", typ: "JWT" })}.${text(claims)}`;
    return `${signed}.${this.#sign(signed)}`;
  }

  #sign(text: string): string {
    return createHmac("sha256", this.#key).update(text).digest("base64url");
  }
}

function sameText(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

function kept(path: string): string {
  if (!existsSync(path)) {
    writeFileSync(`${path}.next`, randomBytes(32).toString("hex"), { mode: 0o600, flush: true });
    renameSync(`${path}.next`, path);
  }
  return readFileSync(path, "utf8").trim();
}
