import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";

const root = fileURLToPath(new URL("../", import.meta.url));

/**
 * `npm run build:action`: the GitHub Action as one file that needs nothing beside it, and the licences of what
 * is in it. The folder may be named; the same sources and lock file make the same bytes.
 */
async function buildAction(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ["src/shells/action/main.ts"],
    outfile: join(folder, "action.mjs"),
    bundle: true,
    platform: "node",
    target: "node24",
    format: "esm",
    // Names stay, so that the stack of a bug can be read.
    minifyWhitespace: true,
    minifySyntax: true,
    charset: "utf8",
    legalComments: "none",
    mainFields: ["module", "main"],
    plugins: [ownVersion],
    metafile: true,
    // CommonJS packages ask for Node's own modules.
    banner: { js: 'import{createRequire}from"node:module";const require=createRequire(import.meta.url);' },
  });
  writeFileSync(join(folder, "licenses.txt"), licences(Object.keys(metafile.inputs)));
}

/** The version is written in; there is no package.json at a known place beside a bundle. */
const ownVersion: Plugin = {
  name: "own version",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]src[\\/]shells[\\/]version\.ts$/ }, () => {
      const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
      return { contents: `export const version = ${JSON.stringify(version)};`, loader: "ts" };
    });
  },
};

function licences(files: readonly string[]): string {
  const folders = new Set(
    files.flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []),
  );
  const texts = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
    const file = readdirSync(join(root, folder)).find((one) => /^licen[cs]e(?:\.\w+)?$/i.test(one));
    const text = file === undefined ? "" : `\n${readFileSync(join(root, folder, file), "utf8").trim()}\n`;
    return `${name} ${version}: ${license}\n${text}`;
  });
  return texts.join(`\n${"-".repeat(80)}\n\n`);
}

await buildAction(resolve(process.argv[2] ?? join(root, "dist/action")));
