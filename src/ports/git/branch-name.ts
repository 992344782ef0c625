import { HoldfastError } from "../../base/errors.ts";

/** The full name of a branch's ref; what `git check-ref-format` refuses is refused. */
export function refOf(branch: string): string {
  const components = branch.split("/");
  const wrong =
    branch === "" ||
    branch === "@" ||
    branch.length > 200 ||
    /[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\.$/.test(branch) ||
    components.some((part) => part === "" || part.startsWith(".") || part.endsWith(".lock")) ||
    branch.startsWith("-");
  if (!wrong) return `refs/heads/${branch}`;
  throw new HoldfastError("BranchNameInvalid", `${JSON.stringify(branch)} cannot be the name of a branch`, {
    disposition: "stall",
    next: "Give a name that `git check-ref-format --branch` accepts, without refs/heads/.",
  });
}
