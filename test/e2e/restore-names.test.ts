import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, onTestFinished, test } from "vitest";
import { createGitopsRemote, type GitopsRemote } from "../support/gitops-remote.ts";
import { holdfast } from "../support/holdfast-command.ts";
import { openWorld } from "../support/holdfast-world.ts";
import { restore, settle } from "./lab.ts";

const homes: string[] = [];
afterEach(() => {
  for (const home of homes.splice(0)) rmSync(home, { recursive: true, force: true });
});

type Declared = Readonly<Record<string, readonly [namespace: string, name: string]>>;

/** A remote that declares restores, by file, and a record that knows some of them, as `namespace/name`. */
function remoteWith(declared: Declared, recorded: readonly string[]): GitopsRemote {
  const home = mkdtempSync(join(tmpdir(), "holdfast-names-"));
  homes.push(home);
  const remote = createGitopsRemote(home);
  const objects = Object.entries(declared).map(([file, [namespace, name]]) => [
    `clusters/lab/${file}`,
    { ...restore(name), metadata: { name, namespace } },
  ]);
  const settings = "clusters:\n  lab:\n    path: clusters/lab\nrecord: {folder: record}\n";
  const entries = recorded.map((one) => [`record/clusters/lab/restores/${one}.yaml`, "phase: Claimed\n"]);
  remote.commit("Declare", { "holdfast.yaml": settings, ...Object.fromEntries([...objects, ...entries]) });
  return remote;
}

function restoreCommand({ bare }: GitopsRemote, ...args: readonly string[]): ReturnType<typeof holdfast> {
  return holdfast(["restore", ...args, "--remote", bare, "--cluster", "lab"]);
}

test("a restore that several namespaces declare under one name is asked for with its namespace", async () => {
  const declared: Declared = { "one.yaml": ["shop", "back"], "two.yaml": ["vault", "back"] };
  const remote = remoteWith(declared, ["shop/back", "vault/back"]);
  expect(await restoreCommand(remote, "--again", "back")).toMatchObject({
    code: 2,
    stdout: "",
    stderr: expect.stringMatching(/--again shop\/back or --again vault\/back/),
  });
  expect(await restoreCommand(remote, "--again", "vault/back")).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/name: back-again-1\n {2}namespace: vault\n/),
  });
});

test("a name that the record knows is not given to a restore again, though its file is gone", async () => {
  const remote = remoteWith({ "one.yaml": ["vault", "back"] }, ["vault/back", "vault/old"]);
  for (const how of [[], ["--commit"]])
    expect(await restoreCommand(remote, "old", "--again", "back", ...how)).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(/RestoreSession vault\/old stands in the record/),
    });
});

test("a restore is not declared twice under one name, whichever file declares it", async () => {
  const remote = remoteWith({ "elsewhere.yaml": ["vault", "back"] }, ["vault/back"]);
  const before = remote.git("rev-parse", "main");
  expect(await restoreCommand(remote, "back", "--again", "back", "--commit")).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/declared on main already, at clusters\/lab\/elsewhere\.yaml:1/),
  });
  expect(remote.git("rev-parse", "main")).toBe(before);
});

test("restores of one name in two namespaces are committed to two files", async () => {
  const declared: Declared = { "one.yaml": ["shop", "back"], "two.yaml": ["vault", "back"] };
  const remote = remoteWith(declared, ["shop/back", "vault/back"]);
  for (const namespace of ["shop", "vault"])
    expect(await restoreCommand(remote, "--again", `${namespace}/back`, "--commit")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`Committed clusters/lab/restores/${namespace}/back-again-1.yaml`),
    });
});

test("in a clone without the record no restore is taken for new, and it is said how to get the record", async () => {
  const remote = remoteWithBranch();
  const { again, fetch } = cloneOf(remote);
  expect(await again("main")).toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringMatching(
      /is a clone without the branch holdfast-record[\s\S]*git fetch origin holdfast-record:refs\/remotes\/origin\/holdfast-record in it, or, also when there is no such branch yet, name the origin with --remote/,
    ),
  });
  recordIn(remote, "clusters/lab/restores/vault/back.yaml");
  fetch();
  expect(await again("main")).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("name: back-again-1\n"),
  });
});

test("a clone is one on a new branch of its own too, as for a pull request", async () => {
  const remote = remoteWithBranch();
  recordIn(remote, "clusters/lab/restores/vault/back.yaml");
  const { again, clone } = cloneOf(remote);
  remote.git("-C", clone, "switch", "--quiet", "--create", "restore");
  expect(await again("restore")).toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringMatching(/is a clone without the branch holdfast-record/),
  });
});

test("a clone says as of which commit of the record it knows the names, and the remote itself needs not", async () => {
  const remote = remoteWithBranch();
  const commit = recordIn(remote, "clusters/lab/restores/vault/back.yaml");
  const { again, clone, fetch } = cloneOf(remote);
  fetch();
  const asOf = new RegExp(
    `commit ${commit.slice(0, 12)} of \\d{4}-\\d\\d-\\d\\dT[\\d:]{8}Z, the newest of the record`,
  );
  expect(await again("main")).toMatchObject({ code: 0, stderr: expect.stringMatching(asOf) });
  remote.git("-C", clone, "switch", "--quiet", "--detach");
  expect(await again("main", "--commit")).toMatchObject({ code: 0, stderr: expect.stringMatching(asOf) });
  expect(await again("main")).toMatchObject({ code: 2, stderr: expect.stringMatching(asOf) });
  expect(await restoreCommand(remote, "--again", "back")).toMatchObject({ code: 0, stderr: "" });
});

test("a restore is printed while the remote is away, with a warning, and neither written nor committed", async () => {
  const world = await openWorld();
  onTestFinished(() => world.close());
  await settle(world);
  await world.run();
  const away = join(world.home, "away.git");
  const file = join(world.home, "back.yaml");
  const fresh = ["restore", "back", "--repository", "vault/app-manifests", "--kubeconfig"];
  const restoreFrom = (...args: readonly string[]) =>
    holdfast([...fresh, world.kubeconfigPath, ...args], { cwd: world.home });
  const warned = {
    code: 0,
    stdout: expect.stringMatching(/kind: RestoreSession\n[\s\S]*name: back\n/),
    stderr: expect.stringContaining("warning: the name was not compared with the record"),
  };
  expect(await restoreFrom("--remote", away, "--cluster", "lab")).toMatchObject(warned);
  expect(await restoreFrom()).toMatchObject(warned);
  for (const how of [["--file", file], ["--commit"]])
    expect(await restoreFrom("--remote", away, "--cluster", "lab", ...how)).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringContaining("away.git"),
    });
  expect(existsSync(file)).toBe(false);
});

/** A remote whose record has a branch of its own, which is not there yet; it declares `vault/back`. */
function remoteWithBranch(): GitopsRemote {
  const remote = remoteWith({ "one.yaml": ["vault", "back"] }, []);
  remote.commit("Keep the record in its branch", {
    "holdfast.yaml": "clusters: {lab: {path: clusters/lab}}\n",
  });
  return remote;
}

/** As a pull request is begun: one branch is cloned. */
function cloneOf(remote: GitopsRemote) {
  const clone = join(remote.tree, "../clone");
  remote.git("clone", "--quiet", "--single-branch", remote.bare, clone);
  const branch = "holdfast-record:refs/remotes/origin/holdfast-record";
  return {
    clone,
    fetch: () => remote.git("-C", clone, "fetch", "--quiet", "origin", branch),
    again: (on: string, ...how: readonly string[]) =>
      holdfast(["restore", "--again", "back", "--remote", ".", "--branch", on, "--cluster", "lab", ...how], {
        cwd: clone,
      }),
  };
}

/** Makes the record's branch of one entry, and answers its commit. */
function recordIn(remote: GitopsRemote, path: string): string {
  const index = { ...process.env, GIT_INDEX_FILE: join(remote.tree, "../index") };
  const git = (input: string, ...args: readonly string[]) =>
    execFileSync("git", ["-c", "user.name=T", "-c", "user.email=t@example.com", ...args], {
      cwd: remote.bare,
      encoding: "utf8",
      env: index,
      input,
    }).trim();
  const blob = git("phase: Claimed\n", "hash-object", "-w", "--stdin");
  git("", "update-index", "--add", "--cacheinfo", `100644,${blob},${path}`);
  const commit = git("", "commit-tree", "-m", "Record", git("", "write-tree"));
  git("", "update-ref", "refs/heads/holdfast-record", commit);
  return commit;
}
