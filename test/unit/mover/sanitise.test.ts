import { readFile } from "node:fs/promises";
import { load } from "js-yaml";
import { expect, it } from "vitest";
import type { KubeObject } from "../../../src/api/meta.ts";
import { sanitise } from "../../../src/mover/manifests/sanitise.ts";
import { yamlOf } from "../../../src/mover/storage/yaml-of.ts";

const fixtures = new URL("../../fixtures/mover/", import.meta.url);
const kinds = ["deployment", "pod", "claim", "job", "service", "secret"];

it.each(kinds)("sanitises a %s as the golden file says", async (kind) => {
  const live = load(await readFile(new URL(`live-${kind}.yaml`, fixtures), "utf8")) as KubeObject;
  await expect(yamlOf(sanitise(live))).toMatchFileSnapshot(
    new URL(`sanitised-${kind}.yaml`, fixtures).pathname,
  );
});

it.each(kinds)("sanitising a %s twice changes nothing", async (kind) => {
  const live = load(await readFile(new URL(`live-${kind}.yaml`, fixtures), "utf8")) as KubeObject;
  const once = sanitise(live);
  expect(sanitise(once)).toEqual(once);
});

it("leaves the given object as it is", async () => {
  const text = await readFile(new URL("live-pod.yaml", fixtures), "utf8");
  const live = load(text) as KubeObject;
  sanitise(live);
  expect(live).toEqual(load(text));
});
