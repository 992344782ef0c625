import { ExitCode } from "../base/exit-code.ts";
import type { JobOutcome } from "./job-context.ts";

/** Every Snapshot of the session has the component already: an earlier attempt was killed after its report. */
export function nothingToDo(component: string): JobOutcome {
  return { exitCode: ExitCode.ok, message: `component ${component} is in every Snapshot already` };
}
