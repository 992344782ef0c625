import { createLocalObjects } from "./local-objects.ts";
import type { Objects, ObjectsLocation } from "./objects.ts";
import { createS3Objects, refuseHalfCredentials } from "./s3-objects.ts";

/** Opens the store of a location. Nothing is read or connected before the first call. */
export function openObjects(location: ObjectsLocation): Objects {
  if (location.provider === "local") return createLocalObjects(location);
  refuseHalfCredentials(location);
  return createS3Objects(location);
}
