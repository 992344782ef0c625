import { builtIn } from "../../../src/api/built-in.ts";
import { kinds } from "../../../src/api/kinds.ts";
import { connectKube } from "../../../src/ports/kube/connect-kube.ts";
import { answer, task } from "./task.ts";

const { kubeconfigPath, times } = await task<{ readonly kubeconfigPath: string; readonly times: number }>();
const kube = await connectKube({ kubeconfigPath, qps: 5_000, burst: 5_000 });
const { Namespace, Job, CronJob, ServiceAccount, Role, RoleBinding, ClusterRoleBinding, Pod } = builtIn;
const labelSelector = "app.kubernetes.io/managed-by=holdfast";
/** What a pass lists where no BackupConfiguration has a target. */
const lists = [
  ...[...kinds.map((kind) => kind.resource), Namespace].map((resource) => ({ resource, options: {} })),
  ...[Job, CronJob, ServiceAccount, Role, RoleBinding, ClusterRoleBinding, Pod].map((resource) => ({
    resource,
    options: { labelSelector },
  })),
];
const listCpuMs: number[] = [];
for (let time = 0; time <= times; time += 1) {
  const cpu = process.cpuUsage();
  await Promise.all(lists.map((one) => discardPages(one)));
  const { user, system } = process.cpuUsage(cpu);
  if (time > 0) listCpuMs.push((user + system) / 1000);
}
await kube.close();
answer({ listCpuMs });

async function discardPages({ resource, options }: (typeof lists)[number]): Promise<void> {
  for await (const _page of kube.list(resource, options)) continue;
}
