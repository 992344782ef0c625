import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";

it("opens a remote in a folder without the libraries for HTTP and for clusters", () => {
  const module = new URL("../../../src/shells/cli/remote-of.ts", import.meta.url);
  const script = `
    import { registerHooks } from "node:module";
    const named = [];
    registerHooks({ resolve: (name, context, next) => (named.push(name), next(name, context)) });
    const { remoteOf } = await import(${JSON.stringify(module.href)});
    await remoteOf({ remote: process.argv[1] }, new AbortController().signal).tip("main", AbortSignal.timeout(5000)).catch(() => undefined);
    console.log(named.filter((name) => /^[^.:/]+$/.test(name) || /^(undici|@)/.test(name)).join(" "));`;
  const args = ["--input-type=module", "-e", script, import.meta.dirname];
  const libraries = execFileSync(process.execPath, args, { encoding: "utf8" }).trim().split(" ");
  expect(libraries).not.toContain("undici");
  expect(libraries).not.toContain("@kubernetes/client-node");
});
