import { afterEach, beforeEach, expect, test } from "vitest";
import { builtIn } from "../../src/api/built-in.ts";
import { holdfast } from "../support/holdfast-command.ts";
import { type HoldfastWorld, openWorld } from "../support/holdfast-world.ts";
import { conditionMessage, configuration, namespaceObject, phase, secretObject, settle } from "./lab.ts";

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

test("a Secret of another namespace encrypts nothing until it says that it may be used", async () => {
  await settle(world);
  await world.create(namespaceObject("keys"));
  await world.create(secretObject("keys", "theirs", { RESTIC_PASSWORD: "of another team" }));
  world.remote.commit("Name another team's Secret", {
    "clusters/lab/theirs.yaml": other("theirs", "theirs", { name: "theirs", namespace: "keys" }),
  });
  const refused = await run();
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("Secret keys/theirs may not be used from namespace vault");
  expect(phase(await world.get("BackupConfiguration", "vault", "theirs"))).toBe("Invalid");
  expect(await world.list("Role", "keys")).toEqual([]);
  await world.kube.mergePatch(
    builtIn.Secret,
    { namespace: "keys", name: "theirs" },
    { metadata: { annotations: { "holdfast.dev/usable-from": "app, vault" } } },
    { manager: "test" },
  );
  expect(await run()).toMatchObject({ code: 0 });
  const snapshots = await world.list("Snapshot", "vault");
  expect(snapshots.filter((one) => one.metadata.name.startsWith("theirs-")).map(phase)).toEqual([
    "Succeeded",
  ]);
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

test("a BackupConfiguration whose encryption Secret is missing is not Ready, says which, and backs up once it is there", async () => {
  await settle(world);
  world.remote.commit("Name a Secret that nobody made", {
    "clusters/lab/late.yaml": other("late", "late", { name: "late", namespace: "vault" }),
  });
  expect((await run()).stderr).toContain("Secret vault/late does not exist");
  const live = await world.get("BackupConfiguration", "vault", "late");
  expect(phase(live)).toBe("NotReady");
  expect(conditionMessage(live, "EncryptionSecretFound")).toContain(
    "Secret vault/late does not exist: create the Secret with the key RESTIC_PASSWORD",
  );
  await world.create(secretObject("vault", "late", { RESTIC_PASSWORD: "here at last" }));
  expect(await run()).toMatchObject({ code: 0 });
  expect(phase(await world.get("BackupConfiguration", "vault", "late"))).toBe("Ready");
  const snapshots = await world.list("Snapshot", "vault");
  expect(snapshots.filter((one) => one.metadata.name.startsWith("late-")).map(phase)).toEqual(["Succeeded"]);
}, 90_000);
