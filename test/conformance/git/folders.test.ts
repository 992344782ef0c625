import { expect, test } from "vitest";
import { commitWithGit, type Open, onEveryServer } from "./remote-fixture.ts";

onEveryServer({ "folders by id": foldersById });

function foldersById(open: Open): void {
  test("one level is listed, with what each name is", async () => {
    const { repository, remote } = open();
    const commit = commitWithGit(repository, { "a/b/c.yaml": "c", "a/d.yaml": "d", e: "e" });
    const { tree } = await remote.commit(commit);
    const root = (await remote.trees([tree])).get(tree) ?? [];
    expect(root.map(({ name, type }) => [name, type])).toEqual([
      ["a", "folder"],
      ["e", "file"],
    ]);
    const [a] = root;
    const below = (await remote.trees([a?.oid ?? "", tree])).get(a?.oid ?? "") ?? [];
    expect(below.map(({ name, type }) => [name, type])).toEqual([
      ["b", "folder"],
      ["d.yaml", "file"],
    ]);
    expect(below[1]?.oid).toBe(repository.git("rev-parse", `${commit}:a/d.yaml`).trim());
  });

  test("a folder is removed whole only where that is said, and never in place of a file", async () => {
    const { repository, remote, pushed } = open();
    const before = commitWithGit(repository, { "a/b/c.yaml": "c", "a/b/d.yaml": "d", e: "e" });
    const push = (path: string, folder: boolean) =>
      remote.push({
        branch: "main",
        expect: before,
        changes: [folder ? { path, content: null, folder: true } : { path, content: null }],
        message: "remove",
        author: { name: "A", email: "a@example.org" },
        at: 0,
      });
    await expect(push("a/b", false)).rejects.toMatchObject({
      message: expect.stringContaining("there is a folder"),
    });
    await expect(push("e", true)).rejects.toMatchObject({
      message: expect.stringContaining("there is a file"),
    });
    expect(await push("a/b", true)).toMatchObject({ kind: "pushed" });
    expect(repository.git("ls-tree", "-r", "--name-only", "main").trim()).toBe("e");
    expect(repository.git("fsck", "--strict")).toBe("");
    await pushed({ "a/b/c.yaml": "again" });
    expect(repository.git("ls-tree", "-r", "--name-only", "main").trim()).toBe("a/b/c.yaml\ne");
  });
}
