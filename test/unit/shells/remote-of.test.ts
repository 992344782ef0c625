import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";

it("opens a remote in a folder without the libraries for HTTP and for clusters", () => {
  const libraries = librariesOf(`
    const { remoteOf } = await import("./shells/cli/remote-of.ts");
    const remote = remoteOf({ remote: ${JSON.stringify(import.meta.dirname)} }, new AbortController().signal);
    await remote.tip("main", AbortSignal.timeout(5000)).catch(() => undefined);`);
  expect(libraries).toContain("commander");
  expect(libraries).not.toContain("undici");
  expect(libraries).not.toContain("@kubernetes/client-node");
});

it("checks what is declared without the part of the schema library that changes values", () => {
  const libraries = librariesOf(`await import("./pass/declared/read-declared.ts");`);
  expect(libraries).toContain("typebox");
  expect(libraries).not.toContain("typebox/value");
});

/** Packages by the names under which a process of its own asked for them; relative to `src`. */
function librariesOf(script: string): readonly string[] {
  const watched = `
    import { registerHooks } from "node:module";
    const named = [];
    registerHooks({ resolve: (name, context, next) => (named.push(name), next(name, context)) });
    ${script.replaceAll('import("./', `import("${new URL("../../../src/", import.meta.url).href}`)}
    console.log(named.filter((name) => /^[^./:][^:]*$/.test(name)).join(" "));`;
  const printed = execFileSync(process.execPath, ["--input-type=module", "-e", watched], {
    encoding: "utf8",
  });
  return printed.trim().split(" ");
}
