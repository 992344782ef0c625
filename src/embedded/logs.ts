import type { Answer, Call } from "./call.ts";
import type { Cluster, LogQuery } from "./cluster.ts";
import { badRequest, type Cause, invalid, methodNotAllowed, notDone } from "./failure.ts";
import type { ResourcePath } from "./resource-path.ts";
import { wrong } from "./schema/validate.ts";
import { listAt, textAt } from "./value.ts";
import { read } from "./write.ts";

/** `pods/log`. Throws 400, 404, 422, and 501 for what needs the time of each line, which is not kept. */
export async function handleLog(cluster: Cluster, call: Call, path: ResourcePath): Promise<Answer> {
  if (call.method !== "GET") throw methodNotAllowed();
  const { namespace = "", name } = path;
  const pod = read(cluster, path.kind, { namespace, name });
  const names = [...listAt(pod, "spec", "initContainers"), ...listAt(pod, "spec", "containers")].map(
    (container) => textAt(container, "name"),
  );
  const only = listAt(pod, "spec", "containers").length === 1 ? names.at(-1) : undefined;
  const container = call.query["container"] || (only ?? "");
  if (container === "") {
    throw badRequest(
      `a container name must be specified for pod ${name}, choose one of: [${names.join(" ")}]`,
    );
  }
  if (!names.includes(container)) throw badRequest(`container ${container} is not valid for pod ${name}`);
  const query = { namespace, pod: name, container, ...extent(call) };
  const stream = await cluster.logs()?.(query, call.signal);
  if (stream !== undefined) return { kind: "stream", stream };
  if (query.previous) {
    throw badRequest(`previous terminated container "${container}" in pod "${name}" not found`);
  }
  throw badRequest(`container "${container}" in pod "${name}" is waiting to start: no log yet`);
}

/** How much of the log is asked for. */
function extent(call: Call): Pick<LogQuery, "follow" | "previous" | "tailLines" | "limitBytes"> {
  for (const option of ["sinceSeconds", "sinceTime", "timestamps", "insecureSkipTLSVerifyBackend"]) {
    if (isSet(call, option)) throw notDone(`pods/log with ${option}`, "read the whole log and filter it");
  }
  const stream = call.query["stream"] ?? "";
  if (stream !== "" && stream !== "All") {
    throw notDone(`pods/log with stream=${stream}`, "stdout and stderr are one log here, read both");
  }
  const causes: Cause[] = [];
  const tailLines = count(call, "tailLines", 0, causes);
  const limitBytes = count(call, "limitBytes", 1, causes);
  if (causes.length > 0) throw invalid({ group: "", plural: "", kind: "PodLogOptions" }, "", causes);
  return {
    follow: isSet(call, "follow"),
    previous: isSet(call, "previous"),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
  };
}

function isSet(call: Call, option: string): boolean {
  const value = call.query[option] ?? "";
  return value !== "" && value !== "false" && value !== "0";
}

function count(call: Call, option: string, least: 0 | 1, causes: Cause[]): number | undefined {
  const text = call.query[option] ?? "";
  if (text === "") return undefined;
  if (!/^-?\d+$/.test(text)) throw badRequest(`${option} must be a number: ${text}`);
  const value = Number(text);
  const rule = least === 0 ? "must be greater than or equal to 0" : "must be greater than 0";
  if (value < least) causes.push(wrong(option, value, rule));
  return value;
}
