import { afterEach, beforeEach, expect, test } from "vitest";
import { builtIn } from "../../src/api/built-in.ts";
import { holdfast } from "../support/holdfast-command.ts";
import { type HoldfastWorld, openWorld } from "../support/holdfast-world.ts";
import {
  conditionMessage,
  configuration,
  field,
  namespaceObject,
  phase,
  secretObject,
  settle,
} from "./lab.ts";

let world: HoldfastWorld;

beforeEach(async () => {
  world = await openWorld();
}, 60_000);

afterEach(async () => {
  await world?.close();
});

const flags = () => ["--remote", world.remote.bare, "--cluster", "lab", "--kubeconfig", world.kubeconfigPath];
const run = () => holdfast(["run", ...flags(), "--timeout", "60s"]);

/** A second configuration of the same Repository or of one of its own, with this encryption Secret. */
function other(
  name: string,
  repository: string,
  secret: { readonly name: string; readonly namespace: string },
) {
  return configuration({
    name,
    repository,
    directory: repository === "app-manifests" ? "/app/manifests" : `/${repository}`,
    repositoryFields: { encryptionSecret: secret },
  });
}

test("an encryption Secret that is missing, or another namespace's, is named, and encrypts once it is there and may be used", async () => {
  await settle(world);
  await world.create(namespaceObject("keys"));
  await world.create(secretObject("keys", "theirs", { RESTIC_PASSWORD: "of another team" }));
  world.remote.commit("Name another team's Secret, and one that nobody made", {
    "clusters/lab/theirs.yaml": other("theirs", "theirs", { name: "theirs", namespace: "keys" }),
    "clusters/lab/late.yaml": other("late", "late", { name: "late", namespace: "vault" }),
  });
  const { code, stderr } = await run();
  expect(code).toBe(1);
  expect(stderr).toContain("Secret keys/theirs may not be used from namespace vault");
  expect(stderr).toContain("Secret vault/late does not exist");
  expect(phase(await world.get("BackupConfiguration", "vault", "theirs"))).toBe("Invalid");
  expect(await world.list("Role", "keys")).toEqual([]);
  const late = await world.get("BackupConfiguration", "vault", "late");
  expect(phase(late)).toBe("NotReady");
  expect(conditionMessage(late, "EncryptionSecretFound")).toContain(
    "Secret vault/late does not exist: create the Secret with the key RESTIC_PASSWORD",
  );
  await world.kube.mergePatch(
    builtIn.Secret,
    { namespace: "keys", name: "theirs" },
    { metadata: { annotations: { "holdfast.dev/usable-from": "app, vault" } } },
    { manager: "test" },
  );
  await world.create(secretObject("vault", "late", { RESTIC_PASSWORD: "here at last" }));
  expect(await run()).toMatchObject({ code: 0 });
  const snapshots = await world.list("Snapshot", "vault");
  expect(snapshots.map(phase)).toEqual(["Succeeded", "Succeeded", "Succeeded"]);
  const repositories = snapshots.map((one) => String(field(one, "spec", "repository")));
  expect(repositories.toSorted()).toEqual(["app-manifests", "late", "theirs"]);
}, 90_000);

test("two BackupConfigurations that share a Repository with different Secrets are named with both files, and the one in force goes on", async () => {
  await settle(world);
  await world.create(secretObject("vault", "second", { RESTIC_PASSWORD: "another" }));
  await world.run();
  world.remote.commit("Share the Repository, with another Secret", {
    "clusters/lab/second.yaml": other("second", "app-manifests", { name: "second", namespace: "vault" }),
  });
  const { code, stderr } = await run();
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /clusters\/lab\/second\.yaml:1: .*the Repository app-manifests has another encryptionSecret in BackupConfiguration vault\/app-manifests \(clusters\/lab\/app\.yaml:1\)/,
  );
  expect(await world.get("BackupConfiguration", "vault", "second")).toBeUndefined();
  expect(phase(await world.get("BackupConfiguration", "vault", "app-manifests"))).toBe("Ready");
}, 60_000);
