import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startReaper } from "./reaper.ts";

/** A bare repository that tests look into with the git command. */
export type GitRepository = {
  readonly directory: string;
  readonly url: string;
  /** Standard output of `git` in the repository. */
  git(...args: readonly string[]): string;
  /** The same with something on standard input. */
  gitWith(input: string | Uint8Array, ...args: readonly string[]): string;
};

export type GitServer = {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** What was asked, in order, such as `POST git-upload-pack`, with the bodies sent. */
  readonly requests: { readonly what: string; readonly body: Buffer }[];
  /** Answers in place of Git until it is set to undefined again. */
  intercept: Interceptor | undefined;
  /** What is said to those whose credentials are wrong, instead of 401. */
  refusal: { readonly status: number; readonly text: string } | undefined;
  repository(): GitRepository;
  close(): Promise<void>;
};

/** Answers the request itself, or lets Git: `next` resolves with Git's whole reply, which it may then drop. */
export type Interceptor = (exchange: {
  readonly request: IncomingMessage;
  readonly body: Buffer;
  readonly response: ServerResponse;
  readonly next: () => Promise<CgiReply>;
}) => Promise<void>;

export type CgiReply = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
};

/** A directory for bare repositories, gone when `close` is called or the test run dies. */
export function gitDirectory(): {
  readonly path: string;
  repository(url?: (name: string) => string): GitRepository;
  close(): Promise<void>;
} {
  const reaper = startReaper();
  const path = mkdtempSync(join(tmpdir(), "holdfast-git-"));
  reaper.watchDirectory(path);
  let count = 0;
  return {
    path,
    repository(url = (name) => join(path, name)) {
      const name = `repo-${++count}.git`;
      const directory = join(path, name);
      execFileSync("git", ["init", "-q", "--bare", "--initial-branch=main", directory], {
        env: gitEnvironment(),
      });
      return gitIn(directory, url(name));
    },
    close: () => reaper.close(),
  };
}

/** The bare repository of a directory, and the URL under which something serves it. */
export function gitIn(directory: string, url: string): GitRepository {
  const run = (input: string | Uint8Array | undefined, args: readonly string[]) =>
    execFileSync("git", ["-C", directory, ...args], {
      encoding: "utf8",
      env: gitEnvironment(),
      maxBuffer: 64 * 2 ** 20,
      stdio: ["pipe", "pipe", "pipe"],
      ...(input === undefined ? {} : { input }),
    });
  return {
    directory,
    url,
    git: (...args) => run(undefined, args),
    gitWith: (input, ...args) => run(input, args),
  };
}

/** `git http-backend` behind basic authentication on a free loopback port. */
export async function startGitServer(options: { readonly filter: boolean }): Promise<GitServer> {
  const root = gitDirectory();
  const credentials = { username: "holdfast", password: "s3cret-t0ken/+" };
  const requests: { what: string; body: Buffer }[] = [];
  const expected = `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64")}`;
  const gitServer: Pick<GitServer, "intercept" | "refusal"> = { intercept: undefined, refusal: undefined };
  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy());
  });
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await readAll(request);
    if (request.headers.authorization !== expected) {
      const { status, text } = gitServer.refusal ?? { status: 401, text: "who are you?\n" };
      response.writeHead(status, { "www-authenticate": 'Basic realm="git"', "content-type": "text/plain" });
      response.end(text);
      return;
    }
    requests.push({ what: `${request.method} ${(request.url ?? "").replace(/^\/[^/]+\//, "")}`, body });
    const next = () => runBackend(root.path, request, body);
    if (gitServer.intercept) return gitServer.intercept({ request, body, response, next });
    sendReply(response, await next());
  };
  const url = await listen(server);
  return Object.assign(gitServer, {
    url,
    ...credentials,
    requests,
    repository() {
      const made = root.repository((name) => `${url}/${name}`);
      made.git("config", "uploadpack.allowFilter", String(options.filter));
      made.git("config", "http.receivepack", "true");
      return made;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await root.close();
    },
  });
}

export function sendReply(response: ServerResponse, { status, headers, body }: CgiReply): void {
  response.writeHead(status, headers);
  response.end(body);
}

/** Independent of the settings of whoever runs the tests. */
export function gitEnvironment(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "A Person",
    GIT_AUTHOR_EMAIL: "person@example.org",
    GIT_AUTHOR_DATE: "1700000000 +0200",
    GIT_COMMITTER_NAME: "A Person",
    GIT_COMMITTER_EMAIL: "person@example.org",
    GIT_COMMITTER_DATE: "1700000000 +0200",
  };
}

/** Git's own smart HTTP over a folder of repositories, which can be cut off and come back at the same address. */
export async function serveGit(root: string): Promise<{
  readonly url: string;
  stop(): Promise<void>;
  start(): Promise<void>;
}> {
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    readAll(request)
      .then((body) => runBackend(root, request, body))
      .then((reply) => sendReply(response, reply))
      .catch(() => response.destroy());
  };
  let server = createServer(answer);
  const url = await listen(server);
  const port = Number(new URL(url).port);
  return {
    url,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
    async start() {
      server = createServer(answer);
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, "127.0.0.1", resolve);
      });
    },
  };
}

async function runBackend(root: string, request: IncomingMessage, body: Buffer): Promise<CgiReply> {
  const { pathname, search } = new URL(request.url ?? "/", "http://host");
  const header = (name: string) => String(request.headers[name] ?? "");
  const backend = spawn("git", ["http-backend"], {
    env: {
      ...gitEnvironment(),
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_PROTOCOL: header("git-protocol"),
      REMOTE_USER: "holdfast",
      REMOTE_ADDR: "127.0.0.1",
      REQUEST_METHOD: request.method ?? "GET",
      PATH_INFO: decodeURIComponent(pathname),
      QUERY_STRING: search.slice(1),
      CONTENT_TYPE: header("content-type"),
      CONTENT_LENGTH: String(body.length),
      // git packs what it asks for when that is long.
      HTTP_CONTENT_ENCODING: header("content-encoding"),
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  const output = outputOf(backend);
  // The backend may answer before it has read everything.
  backend.stdin?.on("error", () => undefined);
  backend.stdin?.end(body);
  return splitReply(await output);
}

function outputOf(child: ChildProcess): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("error", reject);
    child.on("close", () => resolve(Buffer.concat(chunks)));
  });
}

function splitReply(output: Buffer): CgiReply {
  const end = output.indexOf("\r\n\r\n");
  const headers: Record<string, string> = {};
  for (const line of output.toString("latin1", 0, Math.max(end, 0)).split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const { status = end < 0 ? "500" : "200", ...rest } = headers;
  return { status: Number.parseInt(status, 10), headers: rest, body: output.subarray(end + 4) };
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

function listen(server: Server): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(`http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`);
    });
  });
}
