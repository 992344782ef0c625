import type { World } from "../pass/plan/world.ts";
import { version } from "./version.ts";

/** The image that Jobs run: HOLDFAST_IMAGE as `registry/repository:tag`, or the published one of this version. */
export function image(text = process.env["HOLDFAST_IMAGE"]): World["image"] {
  const fallback = { registry: "ghcr.io", repository: "holdfast-dev/holdfast", tag: version };
  const match = /^([^/]+)\/(.+):([\w][\w.-]*)$/.exec(text ?? "");
  const [, registry, repository, tag] = match ?? [];
  return registry !== undefined && repository !== undefined && tag !== undefined
    ? { registry, repository, tag }
    : fallback;
}
