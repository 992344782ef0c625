import { apiVersionOf, nameOf, type Resource } from "../../api/meta.ts";
import { HoldfastError } from "../../base/errors.ts";
import { ExitCode } from "../../base/exit-code.ts";
import type { Declared, Document } from "../../pass/declared/declared.ts";
import { editFlag, type FlagEdited } from "../../pass/declared/edit-flag.ts";
import { limits } from "../../pass/declared/limits.ts";
import { fieldOf } from "../field-of.ts";
import { type Branch, commitChange, readBranch } from "./commit-change.ts";
import { editCheckout } from "./edit-checkout.ts";
import { openCluster } from "./open-cluster.ts";
import { checkoutOf, type KubeOptions, type RemoteOptions } from "./remote-options.ts";
import type { Shell } from "./shell.ts";
import { usage } from "./usage.ts";

export type PauseOptions = RemoteOptions &
  KubeOptions & { readonly namespace?: string; readonly commit?: boolean };

export type PauseRequest = {
  readonly resource: Resource;
  readonly name: string;
  readonly paused: boolean;
  readonly options: PauseOptions;
};

/**
 * Sets `spec.paused` where it is decided: in the file that declares the object, or in the cluster for an object
 * that Git does not declare. Answers what was done, one sentence.
 */
export async function setPaused(request: PauseRequest, shell: Shell): Promise<string> {
  const { options } = request;
  if (options.cluster === undefined) return await inCluster(request, shell);
  const document = find((await readBranch(options, shell)).declared, request);
  if (document === undefined) return await inCluster(request, shell);
  return options.commit === true ? await byCommit(request, shell) : await inCheckout(request, document);
}

/** The declared object; without a namespace the only one of its name. Throws for one that is not in order. */
function find({ documents, problems }: Declared, { resource, name, options }: PauseRequest) {
  const { namespace } = options;
  const named = documents.filter(
    ({ object }) => object.kind === resource.kind && object.metadata.name === name,
  );
  const found = named.filter(
    ({ object }) => namespace === undefined || object.metadata.namespace === namespace,
  );
  const places = found.map(({ object }) => object.metadata.namespace);
  if (found.length > 1)
    throw usage(`${resource.kind} ${name} is declared in ${places.join(" and ")}`, "name one with -n");
  const broken = problems.find(
    ({ severity, object }) =>
      severity === "error" &&
      (namespace === undefined
        ? object?.startsWith(`${resource.kind} `) && object.endsWith(`/${name}`)
        : object === shown(resource, namespace, name)),
  );
  if (found[0] !== undefined || broken === undefined) return found[0];
  const where = broken.place === undefined ? "" : ` at ${broken.place.path}:${broken.place.line}`;
  throw new HoldfastError(
    "Invalid",
    `${broken.object} is declared${where}, and not in order: ${broken.message}`,
    {
      disposition: "stall",
      next: "correct the file first; holdfast validate shows everything that is wrong",
    },
  );
}

async function byCommit(request: PauseRequest, shell: Shell): Promise<string> {
  const { options, paused } = request;
  let path = "";
  const commit = await commitChange(options, shell, async (branch) => {
    const document = find(branch.declared, request);
    if (document === undefined)
      throw usage(`${options.branch} does not declare ${request.name} any more`, "run the command again");
    path = document.path;
    const { content, changed } = edited(await read(branch, path, shell), document, request);
    const message = `${paused ? "Pause" : "Resume"} ${shownDocument(document)}\n`;
    return changed ? { file: { path, content }, message } : undefined;
  });
  return commit === undefined
    ? `${path} says so already: nothing was committed.`
    : `Committed ${path} as ${commit.slice(0, 12)}: ${effect(request)} with the next pass.`;
}

async function read({ remote, declared }: Branch, path: string, shell: Shell): Promise<Uint8Array> {
  const folder = path.slice(0, Math.max(0, path.lastIndexOf("/")));
  const files = (await remote.files(declared.revision.commit, folder, shell.signal)) ?? [];
  const oid = files.find((one) => one.path === path)?.oid ?? "";
  const blobs = await remote.blobs([oid], { maxBytes: limits.fileBytes, signal: shell.signal });
  return blobs.get(oid) ?? new Uint8Array();
}

async function inCheckout(request: PauseRequest, document: Document): Promise<string> {
  const { options } = request;
  const { path } = document;
  const root = checkoutOf(options);
  if (root === undefined)
    throw usage(
      `${shownDocument(document)} is declared in ${path}, and the remote is no working copy`,
      `pass --commit to commit the change to ${options.branch}`,
    );
  const wrote = await editCheckout(root, path, (bytes) => {
    const { content, changed } = edited(bytes, document, request);
    return changed ? content : undefined;
  });
  return wrote
    ? `Wrote ${path}: ${effect(request)} once it is committed and pushed to ${options.branch}.`
    : `${path} says so already: nothing was written.`;
}

function edited(bytes: Uint8Array, document: Document, { resource, paused }: PauseRequest): FlagEdited {
  const { name, namespace = "" } = document.object.metadata;
  const result = editFlag(bytes, { resource, name, namespace, field: "paused", value: paused });
  if (!("message" in result)) return result;
  throw new HoldfastError("NotEditable", `${document.path}:${result.line}: ${result.message}`, {
    disposition: "stall",
    next: `write paused: ${paused} into the spec of ${shownDocument(document)} by hand, and commit it`,
  });
}

async function inCluster({ resource, name, paused, options }: PauseRequest, shell: Shell): Promise<string> {
  const kube = await openCluster(options);
  const namespace = options.namespace ?? kube.namespace;
  const who = shown(resource, namespace, name);
  const found = await kube.get(resource, { namespace, name }, shell.signal);
  if (found === undefined) {
    const undeclared = options.cluster === undefined ? "" : `, and ${options.branch} does not declare it`;
    throw usage(
      `${who} does not exist${undeclared}`,
      "see holdfast status for what there is; -n names the namespace",
    );
  }
  const source = found.metadata.annotations?.["holdfast.dev/declared-in"];
  if (source !== undefined) throw declaredInGit(who, source, options);
  if ((fieldOf(found, "spec", "paused") ?? false) === paused)
    return `${who} is ${paused ? "paused" : "not paused"} already: nothing was changed.`;
  const write = { manager: "holdfast-cli", signal: shell.signal };
  await kube.mergePatch(resource, { namespace, name }, { spec: { paused } }, write);
  return `Git does not declare ${who}, so it was changed in the cluster: ${effect({ paused })} now.`;
}

function declaredInGit(who: string, source: string, { cluster, branch }: PauseOptions): HoldfastError {
  const [named = ""] = source.split("/");
  const looked = cluster === undefined ? "" : `, and not on ${branch} for the cluster ${cluster}`;
  return new HoldfastError(
    "DeclaredInGit",
    `${who} is declared in Git (${source})${looked}: a change in the cluster alone would be undone`,
    {
      disposition: "stall",
      next: `name what declares it: --cluster ${named}, with --remote and --branch; --commit commits the change`,
      exitCode: ExitCode.usage,
    },
  );
}

function effect({ paused }: Pick<PauseRequest, "paused">): string {
  return paused ? "it is paused" : "it goes on";
}

function shown(resource: Resource, namespace: string, name: string): string {
  return nameOf({ apiVersion: apiVersionOf(resource), kind: resource.kind, namespace, name });
}

function shownDocument({ object }: Document): string {
  return `${object.kind} ${object.metadata.namespace}/${object.metadata.name}`;
}
