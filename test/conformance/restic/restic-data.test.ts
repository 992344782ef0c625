import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Progress } from "../../../src/ports/restic/restic.ts";
import { resticsAtHand } from "../../support/restics.ts";
import { describeTree } from "../../support/tree.ts";
import { type Bench, failureFrom, openBench, pathsIn, requestFor, templateOf } from "./bench-of-restic.ts";

const isRoot = process.getuid?.() === 0;

type Selection = {
  readonly include?: string[];
  readonly exclude?: string[];
  readonly left: readonly string[];
};

/** Of `keep`, `no.tmp`, `sub/keep`, `sub/no.tmp` and `glob[1]` in `/data`. */
const selections: readonly Selection[] = [
  { include: ["/data/sub/keep"], left: ["sub/keep"] },
  { include: ["*.tmp"], left: ["no.tmp", "sub/no.tmp"] },
  { include: ["data/sub", "glob\\[1\\]"], left: ["glob[1]", "sub/keep", "sub/no.tmp"] },
  { include: ["/data"], left: ["glob[1]", "keep", "no.tmp", "sub/keep", "sub/no.tmp"] },
  { include: ["/elsewhere"], left: [] },
  { exclude: ["*.tmp", "/data/sub"], left: ["glob[1]", "keep"] },
  { exclude: ["/**/keep"], left: ["glob[1]", "no.tmp", "sub/no.tmp"] },
];

/** Everything that a volume may hold. */
function fillVolume(directory: string): void {
  mkdirSync(join(directory, "sub/deep"), { recursive: true });
  mkdirSync(join(directory, "empty"));
  writeFileSync(join(directory, "plain.txt"), "plain");
  writeFileSync(join(directory, "nothing"), "");
  writeFileSync(join(directory, "script"), "#!/bin/sh\n", { mode: 0o750 });
  writeFileSync(join(directory, "sub/deep/größe 水 \u{1f600}.txt"), "unicode");
  writeFileSync(join(directory, "sub/new\nline"), "odd");
  writeFileSync(join(directory, "-rf"), "looks like a flag");
  writeFileSync(join(directory, "glob[1]*?"), "special");
  writeFileSync(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0xff, 0xfe, 0x41])]), "no UTF-8");
  writeFileSync(join(directory, "sparse"), "start");
  truncateSync(join(directory, "sparse"), 3 * 1024 * 1024);
  symlinkSync("sub/deep", join(directory, "link"));
  symlinkSync("/etc/passwd", join(directory, "sub/dangling-in-the-pod"));
  linkSync(join(directory, "plain.txt"), join(directory, "sub/hard"));
  chmodSync(join(directory, "sub"), 0o1777);
  if (isRoot) chownSync(join(directory, "script"), 1234, 2345);
  if (isRoot) chownSync(directory, 1001, 2002);
  chmodSync(directory, 0o2770);
  utimesSync(join(directory, "empty"), 1_600_000_000, 1_600_000_000);
  utimesSync(directory, 1_500_000_000, 1_500_000_000);
}

for (const at of resticsAtHand()) {
  const template = templateOf(at);
  afterAll(() => template.dispose());

  for (const isLinked of [false, true]) {
    const volume = isLinked ? "a symbolic link to the volume" : "a directory";
    describe(`restic ${at.version} with ${volume} at the path`, () => {
      let current: Scene;
      beforeEach(async () => {
        const bench = openBench(at);
        current = { bench, source: join(bench.root, "data"), emptyTarget: (name) => makeRoot(name) };
        const makeRoot = (name: string): string => {
          const root = join(bench.home, name);
          mkdirSync(root, { recursive: true });
          if (isLinked) {
            mkdirSync(join(bench.home, `${name}-volume`));
            symlinkSync(`../${name}-volume`, join(root, "data"));
          }
          return root;
        };
        makeRoot("root");
        if (!isLinked) mkdirSync(current.source);
        await template.copyTo(bench);
      });
      afterEach(() => current.bench.dispose());

      comesBack(() => current);
      edges(() => current);
      patterns(() => current);
    });
  }

  describe(`restic ${at.version} with paths of every kind`, () => {
    let bench: Bench;
    beforeEach(async () => {
      bench = openBench(at);
      await template.copyTo(bench);
    });
    afterEach(() => bench.dispose());

    pathsOfEveryKind(() => bench);
    refusals(() => bench);
  });
}

type Scene = {
  readonly bench: Bench;
  /** `/data` of the pod: a directory, or a link to one. */
  readonly source: string;
  /** Makes a root whose `/data` is of the same sort, empty. */
  readonly emptyTarget: (name: string) => string;
};

function comesBack(scene: () => Scene): void {
  it("brings back everything as it was, below the pod's path", async () => {
    fillVolume(`${scene().source}/.`);
    const before = describeTree(`${scene().source}/.`);
    const progress: Progress[] = [];
    const made = await scene().bench.restic.backup(scene().bench.repository, requestFor(scene().bench), {
      onProgress: (step) => progress.push(step),
    });
    expect(made).toMatchObject({ partial: false, unread: [] });
    expect(made.snapshotId).toMatch(/^[0-9a-f]{64}$/);
    expect(Date.parse(made.endedAt)).toBeGreaterThanOrEqual(Date.parse(made.startedAt));
    const files = before.filter(({ type }) => type === "file").length;
    expect(made.files).toBe(files);
    expect((await pathsIn(scene().bench, made.snapshotId)).slice(0, 2)).toEqual(["/data/", "/data/-rf"]);

    const root = scene().emptyTarget("target");
    const back = await scene().bench.restic.restore(scene().bench.repository, {
      snapshotId: made.snapshotId,
      root,
      path: "/data",
      include: [],
      exclude: [],
    });
    expect(back).toEqual({ files, bytes: made.bytes });
    expect(describeTree(join(root, "data/."))).toEqual(before);
  });

  it("adds nothing when nothing changed, and takes a parent that is gone for none", async () => {
    fillVolume(`${scene().source}/.`);
    const first = await scene().bench.restic.backup(scene().bench.repository, requestFor(scene().bench));
    const second = await scene().bench.restic.backup(
      scene().bench.repository,
      requestFor(scene().bench, { parent: first.snapshotId }),
    );
    expect(second).toMatchObject({ filesNew: 0, bytesAdded: 0, files: first.files, bytes: first.bytes });
    const [one, two] = await scene().bench.restic.snapshots(scene().bench.repository);
    expect(two?.tree).toBe(one?.tree);
    const orphan = await scene().bench.restic.backup(
      scene().bench.repository,
      requestFor(scene().bench, { parent: "0123456789abcdef".repeat(4) }),
    );
    expect(orphan.files).toBe(first.files);
  });
}

function edges(scene: () => Scene): void {
  it("saves an empty directory as an empty directory", async () => {
    chmodSync(`${scene().source}/.`, 0o2750);
    const made = await scene().bench.restic.backup(scene().bench.repository, requestFor(scene().bench));
    expect(made).toMatchObject({ files: 0, partial: false });
    expect(await pathsIn(scene().bench, made.snapshotId)).toEqual(["/data/"]);
    const root = scene().emptyTarget("target");
    const request = { snapshotId: made.snapshotId, root, path: "/data", include: [], exclude: [] };
    expect(await scene().bench.restic.restore(scene().bench.repository, request)).toEqual({
      files: 0,
      bytes: 0,
    });
    expect(describeTree(join(root, "data/."))).toMatchObject([{ path: ".", mode: "2750" }]);
  });

  it("overwrites what is there and leaves what is not in the snapshot", async () => {
    writeFileSync(join(scene().source, "file"), "saved");
    const { snapshotId } = await scene().bench.restic.backup(
      scene().bench.repository,
      requestFor(scene().bench),
    );
    writeFileSync(join(scene().source, "file"), "changed later");
    writeFileSync(join(scene().source, "other"), "new");
    const request = { snapshotId, root: scene().bench.root, path: "/data", include: [], exclude: [] };
    await scene().bench.restic.restore(scene().bench.repository, request);
    const names = describeTree(`${scene().source}/.`).map(({ path }) => path);
    expect(names).toEqual([".", "file", "other"]);
    rmSync(join(scene().source, "file"));
    expect(
      (
        await failureFrom(
          scene().bench.restic.restore(scene().bench.repository, { ...request, path: "/nope" }),
        )
      ).reason,
    ).toBe("PathNotInSnapshot");
  });
}

function patterns(scene: () => Scene): void {
  it("leaves out what is excluded, at the top and below, wherever the root lies", async () => {
    for (const name of ["keep", "top", "sub/keep", "sub/no.tmp", "sub/cache/x", "no.tmp", "root/x"]) {
      mkdirSync(join(scene().source, name, ".."), { recursive: true });
      writeFileSync(join(scene().source, name), name);
    }
    // `root` is also the name of a directory above the source, which no pattern may reach.
    const exclude = ["*.tmp", "/data/top", "sub/cache", "root", "/keep"];
    const made = await scene().bench.restic.backup(
      scene().bench.repository,
      requestFor(scene().bench, { exclude }),
    );
    expect(await pathsIn(scene().bench, made.snapshotId)).toEqual([
      "/data/",
      "/data/keep",
      "/data/sub/",
      "/data/sub/keep",
    ]);
    const all = await scene().bench.restic.backup(
      scene().bench.repository,
      requestFor(scene().bench, { exclude: ["*"] }),
    );
    expect(await pathsIn(scene().bench, all.snapshotId)).toEqual(["/data/"]);
    const but = await scene().bench.restic.backup(
      scene().bench.repository,
      requestFor(scene().bench, { exclude: ["/data/*", "!/data/keep"] }),
    );
    expect(await pathsIn(scene().bench, but.snapshotId)).toEqual(["/data/", "/data/keep"]);
  });

  it("restores what include or exclude patterns select, and counts it", async () => {
    mkdirSync(join(scene().source, "sub"));
    for (const name of ["keep", "no.tmp", "sub/keep", "sub/no.tmp", "glob[1]"]) {
      writeFileSync(join(scene().source, name), name);
    }
    const { snapshotId } = await scene().bench.restic.backup(
      scene().bench.repository,
      requestFor(scene().bench),
    );
    for (const [index, { include = [], exclude = [], left }] of selections.entries()) {
      const root = scene().emptyTarget(`target-${index}`);
      const request = { snapshotId, root, path: "/data", include, exclude };
      const back = await scene().bench.restic.restore(scene().bench.repository, request);
      const entries = existsSync(join(root, "data")) ? describeTree(join(root, "data/.")) : [];
      const found = entries.filter(({ type }) => type === "file").map(({ path }) => path);
      expect({ include, exclude, found, counted: back.files }).toEqual({
        include,
        exclude,
        found: [...left].sort(),
        counted: left.length,
      });
    }
    const both = { snapshotId, root: scene().bench.root, path: "/data", include: ["a"], exclude: ["b"] };
    const failure = await failureFrom(scene().bench.restic.restore(scene().bench.repository, both));
    expect(failure.reason).toBe("PatternsNotSupported");
  });
}

function pathsOfEveryKind(bench: () => Bench): void {
  it("saves and restores a path below a linked directory, making parents that are absent", async () => {
    mkdirSync(join(bench().home, "volume/lib/app"), { recursive: true });
    writeFileSync(join(bench().home, "volume/lib/app/f"), "x");
    symlinkSync("../volume", join(bench().root, "var"));
    const made = await bench().restic.backup(
      bench().repository,
      requestFor(bench(), { path: "/var/lib/app" }),
    );
    expect(await pathsIn(bench(), made.snapshotId)).toEqual([
      "/var/",
      "/var/lib/",
      "/var/lib/app/",
      "/var/lib/app/f",
    ]);
    expect(await pathsIn(bench(), made.snapshotId, "/var/lib/app")).toEqual([
      "/var/lib/app/",
      "/var/lib/app/f",
    ]);
    const root = join(bench().home, "target");
    mkdirSync(root);
    await bench().restic.restore(bench().repository, {
      snapshotId: made.snapshotId,
      root,
      path: "/var/lib/app",
      include: [],
      exclude: ["nothing"],
    });
    expect(existsSync(join(root, "var/lib/app/f"))).toBe(true);
  });

  it("saves and restores a single file", async () => {
    mkdirSync(join(bench().root, "etc"));
    for (const name of ["one.conf", "two.conf"]) writeFileSync(join(bench().root, "etc", name), name);
    const made = await bench().restic.backup(
      bench().repository,
      requestFor(bench(), { path: "/etc/one.conf" }),
    );
    const root = join(bench().home, "target");
    mkdirSync(root);
    const request = { snapshotId: made.snapshotId, root, path: "/etc/one.conf", include: [], exclude: [] };
    expect(await bench().restic.restore(bench().repository, request)).toEqual({ files: 1, bytes: 8 });
    expect(describeTree(root).map(({ path }) => path)).toEqual([".", "etc", "etc/one.conf"]);
  });

  it.each(["/absent", "/data/absent", "/file/below"])(
    "never makes a snapshot of the absent %s",
    async (path) => {
      mkdirSync(join(bench().root, "data"));
      writeFileSync(join(bench().root, "file"), "x");
      const failure = await failureFrom(
        bench().restic.backup(bench().repository, requestFor(bench(), { path })),
      );
      expect(failure).toMatchObject({ reason: "SourceNotFound", disposition: "stall" });
      expect(await bench().restic.snapshots(bench().repository)).toEqual([]);
    },
  );

  it.each(["data", "/data/../etc", ""])("refuses the path %j", async (path) => {
    const failure = await failureFrom(
      bench().restic.backup(bench().repository, requestFor(bench(), { path })),
    );
    expect(failure.reason).toBe("InvalidPath");
  });
}

function refusals(bench: () => Bench): void {
  it("refuses a link to a file and a target that is a file by name", async () => {
    writeFileSync(join(bench().root, "file"), "x");
    symlinkSync("file", join(bench().root, "link"));
    const linked = bench().restic.backup(bench().repository, requestFor(bench(), { path: "/link" }));
    expect((await failureFrom(linked)).reason).toBe("SourceNotSupported");
    mkdirSync(join(bench().root, "data"));
    const { snapshotId } = await bench().restic.backup(bench().repository, requestFor(bench()));
    const root = join(bench().home, "target");
    mkdirSync(root);
    writeFileSync(join(root, "data"), "in the way");
    const request = { snapshotId, root, path: "/data", include: [], exclude: [] };
    expect((await failureFrom(bench().restic.restore(bench().repository, request))).reason).toBe(
      "TargetNotUsable",
    );
  });
}
