import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { createGitopsRemote, type GitopsRemote } from "../support/gitops-remote.ts";
import { holdfast } from "../support/holdfast-command.ts";
import { restore } from "./lab.ts";

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
