import { Buffer } from "node:buffer";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { jsonText, parseJson } from "../base/exact-json.ts";
import { readYaml } from "../base/yaml/read-yaml.ts";
import { jsonOf } from "../base/yaml/yaml-node.ts";
import type { Answer, Call } from "./call.ts";
import type { Cluster } from "./cluster.ts";
import { duplicateFields } from "./duplicate-fields.ts";
import { badRequest, Failure, NoSuchPath } from "./failure.ts";
import { handle, isOpen } from "./handle.ts";
import { decodedProtobuf } from "./protobuf.ts";
import type { User } from "./tokens.ts";

/** The largest body that a real server takes. */
const bodyLimit = 3 << 20;
const readLimit = 64 << 20;
const yamlBudget = { fileBytes: bodyLimit, depth: 1_000, nodes: 1_000_000, characters: 16 << 20 };
const nobody: User = { name: "system:anonymous", groups: ["system:unauthenticated"], uid: "" };

/** Answers one HTTP request; never throws. `failed` hears of what no client is to blame for. */
export async function serve(
  cluster: Cluster,
  request: IncomingMessage,
  response: ServerResponse,
  failed: (error: unknown) => void,
): Promise<void> {
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  try {
    const answer = await handle(cluster, await callOf(cluster, request, gone.signal));
    await send(response, answer);
  } catch (error) {
    if (gone.signal.aborted || response.headersSent) {
      response.destroy();
      return;
    }
    const failure =
      error instanceof Failure
        ? error
        : new Failure(500, "InternalError", "internal error of the embedded cluster");
    if (!(error instanceof Failure)) failed(error);
    if (failure instanceof NoSuchPath)
      await send(response, { kind: "text", status: 404, text: failure.text });
    else sendJson(response, { status: failure.code, body: failure.toStatus(), warnings: [] });
  }
}

async function callOf(cluster: Cluster, request: IncomingMessage, signal: AbortSignal): Promise<Call> {
  const url = new URL(request.url ?? "/", "http://embedded");
  const segments = segmentsOf(url.pathname);
  const user = isOpen(segments) ? nobody : authenticated(cluster, request);
  const contentType = (request.headers["content-type"] ?? "").split(";")[0]?.trim() ?? "";
  const bytes = await bodyBytes(request);
  const whole = request.method === "POST" || request.method === "PUT";
  if (whole && bytes.length > 0 && contentType !== "" && !bodyTypes.includes(contentType)) {
    const message = `the body of the request was in an unknown format - accepted media types include: ${bodyTypes.join(", ")}`;
    throw new Failure(415, "UnsupportedMediaType", message, {});
  }
  const body = parsedBody(bytes, contentType);
  return {
    method: request.method ?? "GET",
    segments,
    query: Object.fromEntries(url.searchParams),
    body: body.value,
    duplicates: () => (body.json === undefined ? [] : duplicateFields(body.json)),
    contentType,
    accept: request.headers.accept ?? "",
    userAgent: request.headers["user-agent"] ?? "",
    user,
    now: cluster.clock.now(),
    signal,
  };
}

/** Segments of a path, decoded. Throws 400. */
export function segmentsOf(path: string): readonly string[] {
  try {
    return path
      .split("/")
      .filter((segment) => segment !== "")
      .map(decodeURIComponent);
  } catch {
    throw badRequest("the path is not properly escaped");
  }
}

function authenticated(cluster: Cluster, request: IncomingMessage): User {
  const header = request.headers.authorization ?? "";
  const user = header.startsWith("Bearer ") ? cluster.tokens.userOf(header.slice(7).trim()) : undefined;
  if (user === undefined) throw new Failure(401, "Unauthorized", "Unauthorized");
  if (request.headers["impersonate-user"] !== undefined) {
    throw new Failure(
      501,
      "NotImplemented",
      "the embedded cluster does not do impersonation: use a service account's token",
    );
  }
  return user;
}

async function bodyBytes(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    size += bytes.length;
    // What is too large is read to its end, within reason, so that its sender gets to hear why.
    if (size > readLimit) break;
    if (size <= bodyLimit) chunks.push(bytes);
  }
  if (size <= bodyLimit) return Buffer.concat(chunks);
  throw new Failure(413, "RequestEntityTooLarge", `Request entity too large: limit is ${bodyLimit}`);
}

const bodyTypes = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];

/** `json` is the text of a body that is JSON. */
type ParsedBody = { readonly value: unknown; readonly json: string | undefined };

function parsedBody(bytes: Buffer, contentType: string): ParsedBody {
  if (bytes.length === 0) return { value: undefined, json: undefined };
  if (contentType === "application/vnd.kubernetes.protobuf") {
    return { value: decodedProtobuf(bytes), json: undefined };
  }
  const text = bytes.toString("utf8");
  try {
    return { value: parseJson(text, safeField), json: text };
  } catch (error) {
    if (error instanceof Failure) throw error;
    if (!contentType.includes("yaml")) {
      throw badRequest(`the object provided is unrecognized: the body is no JSON: ${String(error)}`);
    }
  }
  return { value: yamlValue(bytes), json: undefined };
}

function yamlValue(bytes: Buffer): unknown {
  const { documents, refusals } = readYaml(bytes, yamlBudget);
  const [refusal] = refusals;
  if (refusal !== undefined) {
    throw badRequest(`error decoding YAML: line ${refusal.line}: ${refusal.message}`);
  }
  const [document] = documents;
  return document === undefined ? undefined : parseJson(jsonText(jsonOf(document)), safeField);
}

/** A field of this name would change what JavaScript objects are instead of being data. */
function safeField(name: string): void {
  if (name === "__proto__") throw badRequest("a field may not be named __proto__");
}

async function send(response: ServerResponse, answer: Answer): Promise<void> {
  switch (answer.kind) {
    case "json":
      sendJson(response, answer);
      return;
    case "text":
      response.writeHead(answer.status, { "content-type": "text/plain; charset=utf-8" }).end(answer.text);
      return;
    case "bytes":
      response.writeHead(200, { "content-type": answer.contentType }).end(answer.bytes);
      return;
    case "stream":
      response.writeHead(200, { "content-type": "text/plain; charset=utf-8" });
      response.flushHeaders();
      await pipeline(answer.stream, response);
      return;
    case "events":
      response.writeHead(200, { "content-type": "application/json", "cache-control": "no-cache, private" });
      response.flushHeaders();
      for await (const event of answer.events) {
        if (response.destroyed) break;
        if (!response.write(`${jsonText(event)}\n`)) {
          await Promise.race([once(response, "drain"), once(response, "close")]);
        }
      }
      response.end();
  }
}

function sendJson(
  response: ServerResponse,
  answer: Omit<Extract<Answer, { readonly kind: "json" }>, "kind">,
): void {
  const { status, body, warnings, contentType = "application/json" } = answer;
  const bytes = Buffer.from(`${jsonText(body)}\n`);
  if (warnings.length > 0) {
    response.setHeader(
      "warning",
      warnings.map((warning) => `299 - ${JSON.stringify(warning)}`),
    );
  }
  response.writeHead(status, { "content-type": contentType, "content-length": bytes.length }).end(bytes);
}
