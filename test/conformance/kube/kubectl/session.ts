import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathOf } from "../../../support/real-parts.ts";

/** One kubectl command that is given to both servers, and what both have to answer. */
export type Step = {
  /** Arguments of kubectl, split as a shell splits them; TAG is unique to the server. */
  readonly run: string;
  readonly stdin?: string;
  /** What `KUBE_EDITOR` does with the file that it is given. */
  readonly editor?: string;
  /** Of both servers; 0 by default. */
  readonly code?: number;
  /** Is in the output of both. What other processes do in their own time is asked again until it is there. */
  readonly shows?: RegExp;
  /** Commands that run while this one watches; it is ended when `shows` is there. */
  readonly meanwhile?: readonly string[];
  /** A difference that is right: why, and what is left out of both outputs before they are compared. */
  readonly differs?: { readonly because: string; readonly ignore: RegExp };
};

/** Commands that build on each other, in a namespace of their own on each server. */
export type Scene = {
  readonly title: string;
  /** Names and contents of what stands in the working directory. */
  readonly files?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
};

/** A server, a namespace on it, and a folder that belongs to both. */
export type Stage = {
  readonly url: string;
  readonly kubeconfigPath: string;
  readonly namespace: string;
  readonly tag: string;
  readonly home: string;
};

type Run = { readonly code: number; readonly out: string; readonly err: string };

const settleMs = 30_000;
const commandMs = 30_000;

/** Plays a scene on both stages at once; answers what differed, in words, and nothing when all is as it should be. */
export async function play(scene: Scene, stages: readonly [Stage, Stage]): Promise<readonly string[]> {
  for (const stage of stages) {
    for (const [name, text] of Object.entries(scene.files ?? {})) {
      const path = join(stage.home, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, named(text, stage));
    }
  }
  const problems: string[] = [];
  for (const step of scene.steps) {
    const [real, embedded] = await Promise.all(stages.map((stage) => settled(stage, step)));
    if (real === undefined || embedded === undefined) throw new Error("two stages, two runs");
    problems.push(...compared(step, real, embedded));
  }
  return problems;
}

function compared(step: Step, real: Run, embedded: Run): readonly string[] {
  const problems: string[] = [];
  const expected = step.code ?? 0;
  for (const [name, run] of [
    ["kube-apiserver", real],
    ["embedded server", embedded],
  ] as const) {
    const fits = run.code === expected && (step.shows === undefined || step.shows.test(run.out + run.err));
    if (fits) continue;
    const shows = step.shows === undefined ? "" : ` and to show ${step.shows}`;
    problems.push(`${step.run}\n  expected to end with ${expected}${shows} on the ${name}: ${shown(run)}`);
  }
  if (text(step, real) !== text(step, embedded)) {
    problems.push(`${step.run}\n  kube-apiserver: ${shown(real)}\n  embedded server: ${shown(embedded)}`);
  }
  return problems;
}

function text({ differs }: Step, { code, out, err }: Run): string {
  const whole = `${code}\n${out}\n${err}`;
  return differs === undefined ? whole : whole.replace(new RegExp(differs.ignore, "gm"), "").trimEnd();
}

function shown({ code, out, err }: Run): string {
  return `exit code ${code}\n${out}${err === "" ? "" : `--- stderr\n${err}`}`;
}

/** Runs the step, again and again while it does not show what it should. */
async function settled(stage: Stage, step: Step): Promise<Run> {
  const deadline = Date.now() + settleMs;
  for (;;) {
    const run = await once(stage, step);
    const { shows } = step;
    if (shows === undefined || shows.test(run.out + run.err) || Date.now() > deadline) return run;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

async function once(stage: Stage, step: Step): Promise<Run> {
  const { shows, meanwhile } = step;
  if (meanwhile === undefined) return masking(await kubectl(stage, step), stage);
  const stop = new AbortController();
  let began = () => {};
  const watching = new Promise<void>((resolve) => {
    began = resolve;
  });
  const hear = (out: string) => {
    began();
    if (shows?.test(masked(out, stage)) === true) stop.abort();
  };
  const running = kubectl(stage, step, { hear, signal: stop.signal });
  await Promise.race([watching, running]);
  for (const run of meanwhile) await kubectl(stage, { run });
  const { code, out, err } = masking(await running, stage);
  return { code: stop.signal.aborted ? 0 : code, out, err };
}

/** Who hears all that a command has printed so far, and may end it. */
type Listener = { hear(out: string): void; readonly signal: AbortSignal };

function kubectl(stage: Stage, step: Step, listener?: Listener): Promise<Run> {
  const { home, kubeconfigPath, namespace } = stage;
  const env = {
    PATH: process.env["PATH"],
    HOME: home,
    // A copy of what could not be edited stays there.
    TMPDIR: home,
    KUBECONFIG: kubeconfigPath,
    ...(step.editor === undefined ? {} : { KUBE_EDITOR: step.editor }),
  };
  const args = words(named(step.run, stage));
  const all = ["--namespace", namespace, "--cache-dir", join(home, "cache"), ...args];
  const ending = listener === undefined ? {} : { signal: listener.signal };
  return new Promise((resolve) => {
    const options = { cwd: home, env, timeout: commandMs, ...ending };
    const child = execFile(pathOf("kubectl"), all, options, (error, out, err) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
      resolve({ code, out, err });
    });
    let seen = "";
    child.stdout?.on("data", (chunk) => {
      seen += String(chunk);
      listener?.hear(seen);
    });
    child.stdin?.on("error", () => {});
    child.stdin?.end(named(step.stdin ?? "", stage));
  });
}

function named(text: string, { tag, namespace }: Stage): string {
  return text.replaceAll("TAG", tag).replaceAll("NAMESPACE", namespace);
}

/** Words between spaces; quotes keep spaces together. */
function words(line: string): string[] {
  const found = line.matchAll(/(?:'[^']*'|[^\s'])+/g);
  return [...found].map(([word]) => word.replaceAll("'", ""));
}

function masking(run: Run, stage: Stage): Run {
  return { code: run.code, out: masked(run.out, stage), err: masked(run.err, stage) };
}

/** Names, times, ids and revisions that differ from run to run, and the widths of columns that hold them. */
function masked(output: string, { namespace, tag, url, home }: Stage): string {
  return (
    output
      // What kubectl's own library logs when the machine is slow.
      .replace(/^[EW]\d{4} .*reflector\.go.*\n/gm, "")
      .replaceAll(url, "SERVER")
      .replaceAll(home, "HOME")
      .replaceAll(namespace, "NAMESPACE")
      .replaceAll(tag, "TAG")
      .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "UID")
      .replace(/\b(shop|web)-[0-9a-z]{7,10}(-[0-9a-z]{5})?\b/g, "$1-HASH")
      .replace(/(pod-template-hash=)\w+/g, "$1HASH")
      .replace(/\b(once|nightly)-[0-9a-z]{5}\b/g, "$1-HASH")
      .replace(/[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} [+-]\d{4}/g, "TIME")
      .replace(/\d{4}-\d\d-\d\dT[\d:]{8}(\.\d+)?Z/g, "TIME")
      .replace(/("?resourceVersion"?: ?)"\d+"/g, '$1"N"')
      .replace(/Resource Version: +\d+/g, "Resource Version: N")
      .replace(/\b(\d+m)?\d+s\b/g, "AGE")
      .replace(/HOME\/(LIVE|MERGED)-\d+/g, "$1")
      .replace(/(kubectl-edit-)\d+/g, "$1N")
      .replace(/^W\d+ [\d:.]+ +\d+ /gm, "W ")
      .replace(/\d{4}-\d\d-\d\d [\d:.]+ \+0000/g, "TIME")
      .replace(/\b10\.(0\.0|96\.\d+)\.\d+\b/g, "CLUSTER-IP")
      .replace(/ \(x\d+ over AGE\)/g, "")
      .replace(/\beyJ[\w.-]+/g, "TOKEN")
      .replace(/(?<=\S) {2,}/g, "  ")
      .replace(/-{10,}/g, "----")
      .replace(/[ \t]+$/gm, "")
      // Events of one second stand in no order.
      .replace(/(^ {2}(Normal|Warning) .*\n)+/gm, (lines) => lines.split("\n").toSorted().join("\n"))
  );
}
