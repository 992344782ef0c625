import { readFileSync } from "node:fs";
import { load } from "js-yaml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HoldfastWorld, openWorld } from "../support/holdfast-world.ts";
import { requireOrSkip } from "../support/real-parts.ts";
import { type S3Server, startS3 } from "../support/s3.ts";
import {
  commitToBranch,
  commitWorkflow,
  releasedAction,
  repositoryDocument,
  runWorkflow,
} from "./action-lab.ts";
import { field, password, phase } from "./lab.ts";

const repository = { default_branch: "main" };

describe.runIf(requireOrSkip("act", "git", "restic", "versitygw"))("the example's workflow under act", () => {
  let s3: S3Server;
  let world: HoldfastWorld;
  let action: string;

  beforeAll(async () => {
    s3 = await startS3();
    world = await openWorld();
    await commitWorkflow(world, s3);
    action = releasedAction(world);
  }, 120_000);

  afterAll(async () => {
    await world?.close();
    await s3?.stop();
  });

  test("a push to the branch that declares backs up and records", async () => {
    const { code, log, output } = await runWorkflow(world, action, {
      event: "push",
      payload: { ref: "refs/heads/main", repository },
    });
    expect(log).toMatch(/Job succeeded/);
    expect(code).toBe(0);
    expect((await world.list("Snapshot", "vault")).map(phase)).toEqual(["Succeeded"]);
    expect(world.remote.recordLog().join("\n")).toMatch(/^backup vault\/app-manifests: Succeeded/m);
    expect(output("record-commit")).toBe(world.remote.recordTip());
    expect(output("commit")).toBe(world.remote.git("rev-parse", "main").trim());
    expect([output("exit-code"), output("problems")]).toEqual(["0", "0"]);
    expect(Number(output("changes"))).toBeGreaterThan(0);
    expect(log).toMatch(/Summary - ## Holdfast run: demo\n\nNothing is left to do at/);
    expect(repositoryDocument(s3)).toMatch(/^kind: Repository$/m);
    for (const secret of [password, s3.secretAccessKey, ...kubeconfigTokens(world)])
      expect(log).not.toContain(secret);
  });

  test("a pull request with a broken file gets it annotated, the rest planned, and changes nothing", async () => {
    const before = world.remote.recordTip();
    commitToBranch(world, "change", {
      "clusters/lab/broken.yaml": `${policy("typo")}spec:\n  sucessfulSnapshots:\n    last: 1\n  maxRetentionPeriod: 1d\n`,
      "clusters/lab/more.yaml": `${policy("more")}spec:\n  maxRetentionPeriod: 1d\n`,
      "clusters/lab/hostile.yaml": hostile,
      "clusters/lab/a\n::error::pwned.yaml": policy("stranger"),
    });
    const { code, log, output } = await runWorkflow(world, action, {
      event: "pull_request",
      payload: { pull_request: { number: 7, base: { ref: "main" }, head: { ref: "change" } }, repository },
    });
    expect(code).toBe(1);
    expect(log).toMatch(/^ *❗ +::error file=clusters\/lab\/broken\.yaml,line=7,.*sucessfulSnapshots/m);
    expect(log).toMatch(/^ *❗ +::error file=clusters\/lab\/a%0A%3A%3Aerror%3A%3Apwned\.yaml,line=1,/m);
    // What a stranger wrote is shown, in the log too, and the runner takes none of it for a command.
    expect(log.match(/^ *❗ .*$/gm)).toHaveLength(10);
    expect(log).toMatch(/^ *\| +error: .*x11 ::error file=holdfast\.yaml,line=1::pwned/m);
    expect(log).not.toMatch(/^ *⚙ +::error/m);
    expect(log).toMatch(/^ *\| +create RetentionPolicy vault\/more$/m);
    expect(log).toMatch(/Summary - ## Holdfast plan: demo[\s\S]*\| create \| RetentionPolicy vault\/more \|/);
    expect([output("exit-code"), output("problems"), output("changes")]).toEqual(["1", "14", "1"]);
    expect(output("commit")).toBe(world.remote.git("rev-parse", "change").trim());
    expect(world.remote.recordTip()).toBe(before);
    expect(await world.get("RetentionPolicy", "vault", "more")).toBeUndefined();
  });
});

/** More mistakes than the runner shows as annotations, each with a line that looks like a command. */
const hostile = [
  policy("hostile"),
  "spec:\n  maxRetentionPeriod: 1d\n",
  ...Array.from({ length: 12 }, (_, n) => `  "x${n}\\n::error file=holdfast.yaml,line=1::pwned": 1\n`),
].join("");

function policy(name: string): string {
  return `apiVersion: storage.kubestash.com/v1alpha1\nkind: RetentionPolicy\nmetadata:\n  name: ${name}\n  namespace: vault\n`;
}

function kubeconfigTokens(world: HoldfastWorld): readonly string[] {
  const users = field(load(readFileSync(world.kubeconfigPath, "utf8")), "users");
  const tokens = (Array.isArray(users) ? users : []).map((user) => String(field(user, "user", "token")));
  expect(tokens.every((token) => token.length > 10)).toBe(true);
  return tokens;
}
