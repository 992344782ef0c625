#!/usr/bin/env node
// kubectl runs this for `kubectl holdfast <TAB>`, with the words so far.
import { start } from "./start.mjs";

await start(["complete-words", "--", ...process.argv.slice(2)], "kubectl holdfast");
