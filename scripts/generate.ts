import { generateCliPage } from "./generate-cli-page.ts";
import { generateLint } from "./generate-lint.ts";
import { generateSchemas } from "./generate-schemas.ts";
import { generateWallsPage } from "./generate-walls-page.ts";

/** Writes everything that is made from something else; running it twice changes nothing. */
const root = new URL("../", import.meta.url).href;
generateLint(root);
generateSchemas(root);
generateCliPage(root);
generateWallsPage(root);
