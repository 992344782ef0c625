import { generateLint } from "./generate-lint.ts";

/** Writes everything that is made from something else; running it twice changes nothing. */
generateLint(new URL("../", import.meta.url).href);
