import type { KubeObject } from "../../api/meta.ts";
import { asRecord } from "../../base/json.ts";

/** The volume of a `local` BackupStorage and where it is mounted; undefined for object stores. */
export function localVolume(
  storage: KubeObject,
  index = 0,
):
  | { readonly volume: Readonly<Record<string, unknown>>; readonly mount: Readonly<Record<string, unknown>> }
  | undefined {
  const spec = asRecord(asRecord(storage["spec"])["storage"]);
  if (spec["provider"] !== "local") return undefined;
  const { mountPath, subPath, maxConnections: _connections, ...source } = asRecord(spec["local"]);
  const name = index === 0 ? "holdfast-backend" : `holdfast-backend-${index}`;
  return {
    volume: { name, ...source },
    mount: { name, mountPath, ...(subPath === undefined ? {} : { subPath }) },
  };
}
