import type { Call } from "./call.ts";
import { badRequest, type Failure, invalid } from "./failure.ts";
import type { WriteOptions } from "./write.ts";

/** How a write is to be done, from the query. Throws 400. */
export function writeOptions(call: Call, subresource: WriteOptions["subresource"]): WriteOptions {
  const dryRun = call.query["dryRun"] ?? "";
  if (dryRun !== "" && dryRun !== "All") {
    throw unsupported(call, "dryRun", dryRun, '"All"');
  }
  const validation = call.query["fieldValidation"] || "Warn";
  if (validation !== "Strict" && validation !== "Warn" && validation !== "Ignore") {
    throw unsupported(call, "fieldValidation", validation, '"Ignore", "Strict", "Warn"');
  }
  const manager = call.query["fieldManager"] || call.userAgent.split("/")[0] || "unknown";
  if (manager.length > 128) throw badRequest("fieldManager: may not be more than 128 bytes");
  const texts = validation === "Ignore" ? [] : call.duplicates().map((field) => `duplicate field "${field}"`);
  if (validation === "Strict" && texts.length > 0)
    throw badRequest(`strict decoding error: ${texts.join(", ")}`);
  return {
    dryRun: dryRun === "All",
    manager,
    validation,
    subresource,
    patches: call.method === "PATCH",
    warnings: [...texts],
  };
}

function unsupported(call: Call, field: string, value: string, supported: string): Failure {
  const kind =
    call.method === "POST" ? "CreateOptions" : call.method === "PUT" ? "UpdateOptions" : "PatchOptions";
  const message = `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported}`;
  const names = { group: "meta.k8s.io", plural: kind.toLowerCase(), kind };
  return invalid(names, "", [{ reason: "FieldValueNotSupported", message, field }]);
}
