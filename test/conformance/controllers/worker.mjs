// What the test image's entrypoint is: one word says what to do.
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = process.env.HOLDFAST_ROOT ?? "";
const [task, ...rest] = process.argv.slice(2);

switch (task) {
  case "say":
    console.log(rest.join(" "));
    break;
  case "fail":
    writeFileSync(join(root, "dev/termination-log"), "the disk is on fire");
    process.exitCode = 3;
    break;
  case "fail-aloud":
    console.error("loud words");
    process.exitCode = 1;
    break;
  case "copy":
    writeFileSync(join(root, rest[1]), readFileSync(join(root, rest[0])));
    break;
  case "environment":
    console.log(JSON.stringify(Object.fromEntries(rest.map((name) => [name, process.env[name] ?? null]))));
    break;
  case "append":
    appendFileSync(join(root, rest[0]), `${process.pid}\n`);
    break;
  case "wait":
    console.log("waiting");
    if (rest[0] !== undefined) appendFileSync(join(root, rest[0]), `${process.pid}\n`);
    process.on("SIGTERM", () => process.exit(0));
    setInterval(() => undefined, 60_000);
    break;
  case "stay":
    appendFileSync(join(root, rest[0]), `${process.pid}\n`);
    setInterval(() => undefined, 60_000);
    break;
  case "once-then-succeed": {
    let runs = 0;
    try {
      runs = readFileSync(join(root, rest[0]), "utf8").length;
    } catch {}
    writeFileSync(join(root, rest[0]), "x".repeat(runs + 1));
    console.log(`run ${runs + 1}\nend of run ${runs + 1}`);
    process.exitCode = runs === 0 ? 1 : 0;
    break;
  }
  default:
    process.exitCode = 64;
}
