import type { KubeObject } from "../../api/meta.ts";
import { validateObject } from "../../api/validate.ts";
import { unknownParameters } from "./resolve-task.ts";
import { asRecord } from "./targets.ts";
import type { World } from "./world.ts";

/** What stands against a RestoreSession: rules of its own fields, parameters that no task knows, usage policies. */
export function restoreErrors(restore: KubeObject, world: World): readonly string[] {
  const addonInfo = asRecord(asRecord(restore["spec"])["addon"]);
  return [
    ...validateObject(restore)
      .filter((error) => error.severity === "error")
      .map((error) => `${error.path.join(".")}: ${error.message}`),
    ...unknownParameters(addonInfo, "restore", world).map(
      (name) => `no task of the addon has the parameter ${name}`,
    ),
  ];
}
