import { HoldfastError } from "../base/errors.ts";
import { ExitCode } from "../base/exit-code.ts";
import type { JobContext } from "./job-context.ts";

/** The component that this job makes or restores: `COMPONENT_NAME` of its environment. */
export function componentName(context: JobContext): string {
  const name = context.environment["COMPONENT_NAME"];
  if (name !== undefined && /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(name)) return name;
  throw new HoldfastError("Usage", "the environment variable COMPONENT_NAME names no component", {
    disposition: "stall",
    next: "Set it to the component's name, such as manifest or dump.",
    exitCode: ExitCode.usage,
  });
}
