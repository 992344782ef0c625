import { expect, test } from "vitest";
import { toldBy } from "../../../src/shells/cli/record-commit.ts";

const trailers = "Holdfast-Cluster: lab\nHoldfast-Declared: 031c\nHoldfast-Version: 0.1.0\n";
const one = `backup shop/orders: Succeeded, 2 components, 12.4 MiB\n\n${trailers}`;
const several = `backup shop/orders: Succeeded, and 2 more\n\n- backup shop/orders: Succeeded\n- backup vault/web: Failed\n- restore vault/back: Claimed\n\n${trailers}`;
const all = { cluster: undefined, namespace: undefined };

test("a commit of the record is told by its subject, and of one namespace by what happened there", () => {
  expect(toldBy(several, all)).toEqual(["backup shop/orders: Succeeded, and 2 more"]);
  expect(toldBy(several, { ...all, namespace: "vault" })).toEqual([
    "backup vault/web: Failed",
    "restore vault/back: Claimed",
  ]);
  expect(toldBy(one, { ...all, namespace: "shop" })).toEqual([
    "backup shop/orders: Succeeded, 2 components, 12.4 MiB",
  ]);
  expect(toldBy(one, { ...all, namespace: "sho" })).toEqual([]);
  expect(toldBy(`status of 2 objects\n\n${trailers}`, { ...all, namespace: "shop" })).toEqual([]);
});

test("a commit of another cluster, or of a person, is left out where one cluster is asked for", () => {
  expect(toldBy(one, { ...all, cluster: "lab" })).toHaveLength(1);
  expect(toldBy(one, { ...all, cluster: "la" })).toEqual([]);
  expect(toldBy("Add the shop\n", { ...all, cluster: "lab" })).toEqual([]);
});
