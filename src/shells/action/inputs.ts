import { HoldfastError } from "../../base/errors.ts";
import { ExitCode } from "../../base/exit-code.ts";
import { nearestName } from "../../base/nearest-name.ts";

export const modes = ["validate", "plan", "run"] as const;
export type Mode = (typeof modes)[number];

/** The inputs of action.yml, and the modes in which each of them means something. */
export const inputModes = {
  mode: modes,
  cluster: modes,
  branch: modes,
  path: modes,
  token: modes,
  commit: ["validate", "plan"],
  kubeconfig: ["plan", "run"],
  context: ["plan", "run"],
  timeout: ["run"],
} as const satisfies Readonly<Record<string, readonly Mode[]>>;

export type InputName = keyof typeof inputModes;

/** Inputs that people look for and that this version does not have, with what to do instead. */
const notInThisVersion: Readonly<Record<string, string>> = {
  comment: "read the plan in the job summary; this version makes no comments on pull requests",
  status: "require the job itself; this version sets no commit statuses",
  remote: "set the variable HOLDFAST_REMOTE where this repository is reached at another address",
};

export type Inputs = { readonly mode: Mode } & { readonly [Name in InputName]?: string };

/**
 * The inputs of a step: the runner hands each over as `INPUT_<NAME>`, an absent one as an empty text.
 * Throws a usage error (stall) for one that is not known, or that means nothing in the mode.
 */
export function readInputs(env: Readonly<Record<string, string | undefined>>): Inputs {
  const given = Object.entries(env).flatMap(([variable, value = ""]) =>
    variable.startsWith("INPUT_") && value.trim() !== ""
      ? [[variable.slice("INPUT_".length).toLowerCase(), value.trim()] as const]
      : [],
  );
  const word = given.find(([name]) => name === "mode")?.[1];
  const mode = modes.find((one) => one === word);
  if (mode === undefined)
    throw usageError(
      "ModeInvalid",
      word === undefined ? "the input mode is missing" : `the input mode is ${word}`,
      `Give one of ${modes.join(", ")}.`,
    );
  for (const [name] of given) refuseUnlessMeant(name, mode);
  return { ...Object.fromEntries(given), mode };
}

function refuseUnlessMeant(name: string, mode: Mode): void {
  const known: Readonly<Record<string, readonly Mode[]>> = inputModes;
  const meant = Object.hasOwn(known, name) ? known[name] : undefined;
  if (meant?.includes(mode)) return;
  if (meant !== undefined)
    throw usageError(
      "InputRefused",
      `the input ${name} means nothing in mode ${mode}`,
      `Take it out; it is for mode ${meant.join(" and ")}.`,
    );
  const near = nearestName(name, Object.keys(known));
  const instead = Object.hasOwn(notInThisVersion, name) ? notInThisVersion[name] : undefined;
  const otherwise =
    near === undefined ? `The inputs are ${Object.keys(known).join(", ")}.` : `Did you mean ${near}?`;
  throw usageError("InputUnknown", `there is no input ${name}`, instead ?? otherwise);
}

/** What is wrong with the step itself: nothing was done. */
export function usageError(reason: string, message: string, next: string): HoldfastError {
  return new HoldfastError(reason, message, { disposition: "stall", next, exitCode: ExitCode.usage });
}
