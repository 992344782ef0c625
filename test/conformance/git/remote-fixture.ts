import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "vitest";
import { openRemote, type RemoteOptions } from "../../../src/ports/git/open-remote.ts";
import type { FileChange, Oid, PushRequest, PushResult, Remote } from "../../../src/ports/git/remote.ts";
import { startForge } from "../../support/forge.ts";
import { type GitRepository, gitDirectory, sendReply, startGitServer } from "../../support/git-remote.ts";
import { type RealPartName, requireOrSkip } from "../../support/real-parts.ts";
import { startSshServer } from "../../support/ssh-server.ts";

/** One way to reach Git: makes repositories, and says what a remote needs besides the URL to open them. */
export type Transport = {
  repository(): GitRepository;
  readonly options: Partial<RemoteOptions>;
  close(): Promise<void>;
};

type Way = { readonly needs: readonly RealPartName[]; readonly start: () => Promise<Transport> };

const ways: Readonly<Record<string, Way>> = {
  "a local path": { needs: ["git"], start: overPath },
  "a real sshd": { needs: ["git", "ssh", "sshd"], start: overSsh },
  "HTTP with filter": { needs: ["git"], start: () => overHttp({ filter: true, singleObjects: true }) },
  "HTTP without filter": { needs: ["git"], start: () => overHttp({ filter: false, singleObjects: true }) },
  "HTTP with filter that gives no tree or blob by its id": {
    needs: ["git"],
    start: () => overHttp({ filter: true, singleObjects: false }),
  },
  "a forge": { needs: ["git", "gitea"], start: overForge },
};

async function overPath(): Promise<Transport> {
  const root = gitDirectory();
  return { repository: () => root.repository(), options: {}, close: () => root.close() };
}

async function overSsh(): Promise<Transport> {
  const server = await startSshServer();
  const root = gitDirectory();
  const { identityFile, knownHostsFile } = server;
  return {
    repository() {
      const made = root.repository((name) => `${server.url}${root.path}/${name}`);
      made.git("config", "uploadpack.allowFilter", "true");
      return made;
    },
    options: {
      ssh: { identityFile, knownHostsFile },
      environment: { ...process.env, GIT_SSH_COMMAND: server.sharedCommand },
    },
    async close() {
      await server.close();
      await root.close();
    },
  };
}

async function overForge(): Promise<Transport> {
  const forge = await startForge();
  return {
    repository: () => forge.repository(),
    options: { credentials: { username: forge.username, password: forge.token } },
    close: () => forge.close(),
  };
}

async function overHttp({
  filter,
  singleObjects,
}: {
  filter: boolean;
  singleObjects: boolean;
}): Promise<Transport> {
  const server = await startGitServer({ filter });
  const repositories: GitRepository[] = [];
  if (!singleObjects) {
    server.intercept = async ({ request, body, response, next }) => {
      const name = (request.url ?? "").split("/")[1] ?? "";
      const repository = repositories.find(({ url }) => url.endsWith(`/${name}`));
      const wants = [...body.toString("latin1").matchAll(/want ([0-9a-f]{40})/g)].map(([, oid]) => oid ?? "");
      const refused = wants.find((oid) => !commits(repository).has(oid));
      if (refused === undefined) return sendReply(response, await next());
      const line = `ERR upload-pack: not our ref ${refused}`;
      response.writeHead(200, { "content-type": "application/x-git-upload-pack-result" });
      response.end(`${(line.length + 4).toString(16).padStart(4, "0")}${line}`);
    };
  }
  return {
    repository() {
      const made = server.repository();
      repositories.push(made);
      return made;
    },
    options: { credentials: { username: server.username, password: server.password } },
    close: () => server.close(),
  };
}

function commits(repository: GitRepository | undefined): ReadonlySet<string> {
  return new Set(repository?.git("rev-list", "--all").split("\n"));
}

/** A repository with a fresh cache, and the short ways of the suite to write to it. */
export type Place = {
  readonly repository: GitRepository;
  readonly remote: Remote;
  /** The same repository from another process' point of view: nothing is cached. */
  another(options?: Partial<RemoteOptions>): Remote;
  push(changes: Readonly<Record<string, string | null>>, request?: Partial<PushRequest>): Promise<PushResult>;
  /** The commit that the push made; throws when it made none. */
  pushed(changes: Readonly<Record<string, string | null>>, request?: Partial<PushRequest>): Promise<Oid>;
};

export type Open = (options?: Partial<RemoteOptions>) => Place;

/** The same tests on every kind of server, each of which is started once. */
export function onEveryServer(groups: Readonly<Record<string, (open: Open) => void>>): void {
  for (const [name, { needs, start }] of Object.entries(ways)) {
    describe.runIf(requireOrSkip(...needs))(`over ${name}`, () => {
      let transport: Transport;
      beforeAll(async () => {
        transport = await start();
      });
      afterAll(() => transport.close());
      for (const [what, tests] of Object.entries(groups))
        describe(`${what}`, () => {
          tests((options) => placeOn(transport, options));
        });
    });
  }
}

export const author = { name: "Holdfast", email: "holdfast@example.org" };
export const at = Date.parse("2026-11-20T10:00:00Z");

export function placeOn(transport: Transport, given: Partial<RemoteOptions> = {}): Place {
  const repository = transport.repository();
  const another = (options: Partial<RemoteOptions> = {}) => {
    const cacheDirectory = mkdtempSync(join(repository.directory, "cache-"));
    return openRemote({ url: repository.url, cacheDirectory, ...transport.options, ...given, ...options });
  };
  const remote = another();
  const push: Place["push"] = async (changes, request = {}) => {
    const expect = "expect" in request ? request.expect : await remote.tip("main");
    const made = {
      branch: "main",
      changes: asChanges(changes),
      message: "change",
      author,
      at,
      ...request,
      expect,
    };
    return remote.push(made);
  };
  return {
    repository,
    remote,
    another,
    push,
    async pushed(changes, request) {
      const result = await push(changes, request);
      if (result.kind !== "pushed") throw new Error(`the branch moved to ${result.tip}`);
      return result.commit;
    },
  };
}

export function asChanges(files: Readonly<Record<string, string | null>>): readonly FileChange[] {
  return Object.entries(files).map(([path, content]) => ({ path, content }));
}

/** Commits whatever files are given with the git command, modes as `git update-index --cacheinfo` takes them. */
export function commitWithGit(
  { git, gitWith }: GitRepository,
  files: Readonly<Record<string, string | { readonly mode: string; readonly oid: string }>>,
  options: { readonly parent?: string; readonly message?: string; readonly branch?: string } = {},
): Oid {
  const lines = Object.entries(files).map(([path, file]) => {
    if (typeof file !== "string") return `${file.mode} ${file.oid}\t${path}`;
    return `100644 ${gitWith(file, "hash-object", "-w", "--stdin").trim()}\t${path}`;
  });
  git("read-tree", "--empty");
  gitWith(`${lines.join("\0")}\0`, "update-index", "-z", "--index-info");
  const tree = git("write-tree").trim();
  const parents = options.parent === undefined ? [] : ["-p", options.parent];
  const commit = gitWith(options.message ?? "by hand\n", "commit-tree", tree, ...parents).trim();
  git("update-ref", `refs/heads/${options.branch ?? "main"}`, commit);
  return commit;
}

export async function textOf(remote: Remote, oid: Oid): Promise<string> {
  const content = (await remote.blobs([oid])).get(oid);
  if (!content) throw new Error(`no content of ${oid}`);
  return Buffer.from(content).toString("utf8");
}

export async function toArray<Item>(items: AsyncIterable<Item>): Promise<readonly Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
