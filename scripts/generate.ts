import { generateLint } from "./generate-lint.ts";
import { generateSchemas } from "./generate-schemas.ts";

/** Writes everything that is made from something else; running it twice changes nothing. */
const root = new URL("../", import.meta.url).href;
generateLint(root);
generateSchemas(root);
