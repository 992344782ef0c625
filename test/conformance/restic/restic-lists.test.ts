import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compareNodes, comparePaths } from "../../../src/shells/cli/compare-nodes.ts";
import { downloadComponent } from "../../../src/shells/cli/download-component.ts";
import { resticsAtHand } from "../../support/restics.ts";
import { describeTree } from "../../support/tree.ts";
import { type Bench, failureFrom, openBench, requestFor } from "./bench-of-restic.ts";

for (const at of resticsAtHand()) {
  describe(`two snapshots with names of every kind, restic ${at.version}`, () => {
    let bench: Bench;
    let ids: readonly [string, string];
    beforeAll(async () => {
      bench = openBench(at);
      await bench.restic.ensureRepository(bench.repository);
      fill(join(bench.root, "data"));
      const first = await bench.restic.backup(bench.repository, requestFor(bench));
      change(join(bench.root, "data"));
      const second = await bench.restic.backup(bench.repository, requestFor(bench));
      ids = [first.snapshotId, second.snapshotId];
    }, 60_000);
    afterAll(() => bench.dispose());

    it("lists a folder before what is in it and names by their bytes, and so does changed", async () => {
      const listed: string[] = [];
      for await (const { path } of bench.restic.list(bench.repository, ids[1], "/data")) listed.push(path);
      expect(listed.length).toBeGreaterThan(8);
      expect([...listed].sort(comparePaths)).toEqual(listed);
      const changed: string[] = [];
      for await (const path of bench.restic.changed(bench.repository, ids)) changed.push(path);
      expect(changed).toEqual(["/data/a/inner", "/data/a.txt", "/data/turned"]);
    });

    it("tells changed content of equal size and time, a link that points elsewhere, and no file that was only touched", async () => {
      const { restic, repository } = bench;
      const found: string[] = [];
      const lists = {
        before: restic.list(repository, ids[0], "/data"),
        after: restic.list(repository, ids[1], "/data"),
        changed: restic.changed(repository, ids),
      };
      for await (const { change: what, path } of compareNodes(lists)) found.push(`${what} ${path}`);
      expect(found).toEqual([
        "changed /data/a/inner",
        "changed /data/a.txt",
        "removed /data/gone",
        "added /data/new",
        "added /data/new/\u{1f4be}",
        "changed /data/pointer",
        "changed /data/turned",
      ]);
    });

    it("downloads everything as it was and proves it, also names that are no UTF-8", async () => {
      const folder = mkdtempSync(join(bench.home, "here-"));
      const options = { folder, path: undefined, mayExist: false, onProgress: () => undefined };
      const component = {
        name: "dump",
        repository: bench.repository,
        paths: [{ id: ids[1], hostPath: "/data", proof: undefined }],
      };
      const context = { restic: bench.restic, signal: new AbortController().signal };
      const [came] = await downloadComponent(context, component, options);
      expect(came).toMatchObject({ path: "/data", at: join(folder, "data"), files: 7 });
      expect(describeTree(join(folder, "data/."))).toEqual(describeTree(join(bench.root, "data/.")));
      const wrong = [{ id: ids[1], hostPath: "/data", proof: { files: 8, bytes: came?.bytes ?? 0 } }];
      const failure = await failureFrom(
        downloadComponent(
          context,
          { ...component, paths: wrong },
          { ...options, folder: mkdtempSync(join(bench.home, "there-")) },
        ),
      );
      expect(failure.reason).toBe("NotProven");
    });

    it("writes through no link: none that an earlier path brought, one in the component's place, or one under a name that is no UTF-8", async () => {
      const { failures, written } = await downloadsThroughLinks(bench);
      expect(failures.map(({ reason }) => reason)).toEqual(["LinkInTheWay", "LinkInTheWay"]);
      expect(failures[0]?.message).toContain("/first/led/sub is a symbolic link, which is not followed");
      expect(failures[1]?.message).toContain("/component is a symbolic link, which is not followed");
      expect(written).toEqual([]);
      const { failure, left } = await downloadsThroughOddLink(bench, ids[1]);
      expect([failure.reason, left]).toEqual(["LinkInTheWay", "mine"]);
    });
  });
}

/** Into a folder in which an earlier path puts a link, and into a link that stands for the component's folder. */
async function downloadsThroughLinks(bench: Bench) {
  const [outside, place] = [join(bench.home, "outside"), join(bench.root, "led/sub")];
  mkdirSync(outside);
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, "planted"), "it leads out");
  const inner = await bench.restic.backup(bench.repository, requestFor(bench, { path: "/led/sub" }));
  rmSync(place, { recursive: true });
  symlinkSync(outside, place);
  const outer = await bench.restic.backup(bench.repository, requestFor(bench, { path: "/led" }));
  const context = { restic: bench.restic, signal: new AbortController().signal };
  const saved = (id: string, hostPath: string) => ({ id, hostPath, proof: undefined });
  const [first, second] = [saved(outer.snapshotId, "/led"), saved(inner.snapshotId, "/led/sub")];
  const failureOf = async (folder: string, mayExist: boolean, paths: readonly (typeof first)[]) => {
    const component = { name: "dump", repository: bench.repository, paths };
    const options = { folder, path: undefined, mayExist, onProgress: () => undefined };
    return await failureFrom(downloadComponent(context, component, options));
  };
  const link = join(bench.home, "component");
  symlinkSync(outside, link);
  const failures = [
    await failureOf(join(bench.home, "first"), false, [first, second]),
    await failureOf(link, true, [second]),
  ];
  return { failures, written: readdirSync(outside) };
}

/** Into a folder where a link stands under a name that is no UTF-8. */
async function downloadsThroughOddLink(bench: Bench, id: string) {
  const [folder, outside] = [mkdtempSync(join(bench.home, "linked-")), join(bench.home, "untouched")];
  mkdirSync(join(folder, "data"));
  writeFileSync(outside, "mine");
  symlinkSync(outside, notUtf8(join(folder, "data")));
  const paths = [{ id, hostPath: "/data", proof: undefined }];
  const component = { name: "dump", repository: bench.repository, paths };
  const context = { restic: bench.restic, signal: new AbortController().signal };
  const options = { folder, path: undefined, mayExist: true, onProgress: () => undefined };
  const failure = await failureFrom(downloadComponent(context, component, options));
  return { failure, left: readFileSync(outside, "utf8") };
}

function fill(data: string): void {
  mkdirSync(join(data, "a"), { recursive: true });
  for (const name of ["a/inner", "a-b", "a.txt", "gone", "touched", "turned", "\uffee"])
    writeFileSync(join(data, name), "as it was");
  symlinkSync("a.txt", join(data, "pointer"));
  writeFileSync(notUtf8(data), "no UTF-8");
}

function notUtf8(folder: string): Buffer {
  return Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.from([0xe9])]);
}

function change(data: string): void {
  rmSync(join(data, "pointer"));
  symlinkSync("a-b", join(data, "pointer"));
  writeFileSync(join(data, "a/inner"), "another one");
  // The same size, and soon the same time.
  writeFileSync(join(data, "a.txt"), "as it Was");
  rmSync(join(data, "gone"));
  utimesSync(join(data, "touched"), 1_600_000_000, 1_600_000_000);
  rmSync(join(data, "turned"));
  symlinkSync("a.txt", join(data, "turned"));
  mkdirSync(join(data, "new"));
  writeFileSync(join(data, "new/\u{1f4be}"), "new");
}
