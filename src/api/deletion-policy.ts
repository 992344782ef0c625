import { choice } from "./schema.ts";

export type DeletionPolicy = "Delete" | "WipeOut";

/** What happens to the data in the backend when the object is deleted. */
export function deletionPolicy(description: string) {
  return choice(["Delete", "WipeOut"], description, { default: "Delete" });
}
