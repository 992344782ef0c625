import { builtIn } from "../../../src/api/built-in.ts";
import { kinds } from "../../../src/api/kinds.ts";
import { connectKube } from "../../../src/ports/kube/connect-kube.ts";
import { answer, task } from "./task.ts";

const { kubeconfigPath, times } = await task<{ readonly kubeconfigPath: string; readonly times: number }>();
const kube = await connectKube({ kubeconfigPath, qps: 5_000, burst: 5_000 });
const resources = [...kinds.map((kind) => kind.resource), builtIn.CronJob, builtIn.Job];
const listCpuMs: number[] = [];
for (let time = 0; time <= times; time += 1) {
  const cpu = process.cpuUsage();
  for (const resource of resources) for await (const _page of kube.list(resource)) continue;
  const { user, system } = process.cpuUsage(cpu);
  if (time > 0) listCpuMs.push((user + system) / 1000);
}
await kube.close();
answer({ listCpuMs });
