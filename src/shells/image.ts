import { HoldfastError } from "../base/errors.ts";
import { ExitCode } from "../base/exit-code.ts";
import type { World } from "../pass/plan/world.ts";
import { version } from "./version.ts";

/** The image that Jobs run: HOLDFAST_IMAGE as `registry/repository:tag`, or the published one of this version. */
export function image(text = process.env["HOLDFAST_IMAGE"]): World["image"] {
  if (text === undefined || text === "")
    return { registry: "ghcr.io", repository: "holdfast-dev/holdfast", tag: version };
  const [, registry, repository, tag] = /^([^\s/]+)\/([^\s@]+):(\w[\w.-]*)$/.exec(text) ?? [];
  if (registry !== undefined && repository !== undefined && tag !== undefined)
    return { registry, repository, tag };
  throw new HoldfastError("ImageInvalid", `HOLDFAST_IMAGE ${text} is not an image with registry and tag`, {
    disposition: "stall",
    next: "write it as REGISTRY/REPOSITORY:TAG, as in ghcr.io/holdfast-dev/holdfast:0.1.0",
    exitCode: ExitCode.usage,
  });
}
