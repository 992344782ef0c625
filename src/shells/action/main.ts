import { runAction } from "./run-action.ts";

// A workflow that is cancelled gets INT first and TERM a few seconds later.
const interrupt = new AbortController();
process.once("SIGINT", () => interrupt.abort());
process.once("SIGTERM", () => interrupt.abort());

process.exitCode = await runAction(process.env, interrupt.signal, (text) => process.stdout.write(text));
