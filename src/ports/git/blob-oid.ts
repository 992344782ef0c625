import { oidOf } from "./git-object.ts";
import type { BlobOid } from "./remote.ts";

/** The id that Git gives to a blob of this content. */
export const blobOid: BlobOid = (content) => oidOf({ type: "blob", content: Buffer.from(content, "utf8") });
