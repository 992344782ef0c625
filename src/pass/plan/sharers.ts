import type { KubeObject } from "../../api/meta.ts";
import { sharedFields, sharedValue } from "../../api/rules/shared-repository.ts";
import { asRecord, records } from "../../base/json.ts";
import { repositoriesNamed } from "./repository-requests.ts";

/**
 * BackupConfigurations by the Repositories that they share: by namespace and name, of those that give a Repository
 * the same values two, one of which is another one whoever asks. So thousands that agree are not compared in pairs.
 */
export function sharersByRepository(
  configurations: readonly KubeObject[],
): ReadonlyMap<string, readonly KubeObject[]> {
  const sharers = new Map<string, KubeObject[]>();
  const alike = new Map<string, number>();
  for (const configuration of configurations) {
    for (const repository of new Set(repositoriesNamed(configuration))) {
      const sort = `${repository} ${valuesFor(configuration, repository)}`;
      const count = alike.get(sort) ?? 0;
      alike.set(sort, count + 1);
      if (count >= 2) continue;
      const known = sharers.get(repository);
      if (known === undefined) sharers.set(repository, [configuration]);
      else known.push(configuration);
    }
  }
  return sharers;
}

function valuesFor({ metadata, spec }: KubeObject, repository: string): string {
  const { namespace = "" } = metadata;
  const requests = records(asRecord(spec)["sessions"])
    .flatMap((session) => records(session["repositories"]))
    .filter((request) => `${namespace}/${String(request["name"])}` === repository);
  return JSON.stringify(
    requests.map((request) =>
      sharedFields.map((field) =>
        sharedValue(request[field] as Parameters<typeof sharedValue>[0], namespace),
      ),
    ),
  );
}
