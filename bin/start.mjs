import { existsSync } from "node:fs";

/** Runs a command line under the name that the person typed. */
export async function start(argv, name) {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major < 22 || (major === 22 && minor < 19)) {
    console.error(
      `holdfast needs Node.js 22.19 or newer; this is ${process.versions.node}. Install Node.js 24 and run it again.`,
    );
    process.exit(1);
  }
  // A reader that has seen enough, as head has, closes the pipe; that is no failure.
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error) => {
      if (error.code !== "EPIPE") throw error;
    });
  // A checkout runs from its sources, a published package from what was built.
  const built = new URL("../dist/shells/cli/main.js", import.meta.url);
  const source = new URL("../src/shells/cli/main.ts", import.meta.url);
  const { main } = await import(existsSync(source) ? source.href : built.href);
  process.exitCode = await main(argv, name);
}
