import type { Call } from "./call.ts";
import { badRequest } from "./failure.ts";
import type { WriteOptions } from "./write.ts";

/** How a write is to be done, from the query. Throws 400. */
export function writeOptions(call: Call, subresource: WriteOptions["subresource"]): WriteOptions {
  const dryRun = call.query["dryRun"] ?? "";
  if (dryRun !== "" && dryRun !== "All") {
    throw badRequest(`dryRun: Unsupported value: ${JSON.stringify(dryRun)}: supported values: "All"`);
  }
  const validation = call.query["fieldValidation"] || "Warn";
  if (validation !== "Strict" && validation !== "Warn" && validation !== "Ignore") {
    throw badRequest(
      `fieldValidation: Unsupported value: ${JSON.stringify(validation)}: supported values: "Ignore", "Strict", "Warn"`,
    );
  }
  const manager = call.query["fieldManager"] || call.userAgent.split("/")[0] || "unknown";
  if (manager.length > 128) throw badRequest("fieldManager: may not be more than 128 bytes");
  return {
    dryRun: dryRun === "All",
    manager,
    validation,
    subresource,
    patches: call.method === "PATCH",
    warnings: [],
  };
}
