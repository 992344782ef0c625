import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Programs that tests use as they are, and how a person gets each. */
const howToGet = {
  "kube-apiserver": "setup-envtest use -p env, then export KUBEBUILDER_ASSETS",
  etcd: "setup-envtest use -p env, then export KUBEBUILDER_ASSETS",
  "kube-controller-manager":
    "put the binary of the same Kubernetes release beside kube-apiserver in KUBEBUILDER_ASSETS",
  kubectl: "https://kubernetes.io/docs/tasks/tools/",
  restic: "apt-get install restic, or https://restic.net",
  git: "apt-get install git",
  ssh: "apt-get install openssh-client",
  sshd: "apt-get install openssh-server",
  gitea:
    "https://docs.gitea.com/installation, with the folders options, public and templates in gitea-data beside it",
  openssl: "apt-get install openssl",
  fish: "apt-get install fish",
  zsh: "apt-get install zsh",
  "toxiproxy-server": "go install github.com/Shopify/toxiproxy/v2/cmd/server@v2.5.0",
  versitygw: "go install github.com/versity/versitygw/cmd/versitygw@latest",
  act: "go install github.com/nektos/act@latest",
  actionlint: "go install github.com/rhysd/actionlint/cmd/actionlint@latest",
} as const;

export type RealPartName = keyof typeof howToGet;
export type RealPart = { readonly path: string };

const fromAssets: ReadonlySet<RealPartName> = new Set(["kube-apiserver", "etcd", "kube-controller-manager"]);

/**
 * Where a real part is: parts of Kubernetes in `KUBEBUILDER_ASSETS` only (a server that merely stands on
 * PATH may be of any release), the others on PATH, then in `KUBEBUILDER_ASSETS`.
 */
export function realPart(name: RealPartName): RealPart | undefined {
  const assets = process.env["KUBEBUILDER_ASSETS"];
  const places = fromAssets.has(name) ? [] : (process.env["PATH"] ?? "").split(delimiter);
  if (assets !== undefined) places.push(assets);
  // Servers are often left out of the PATH of people.
  if (name === "sshd") places.push("/usr/sbin");
  for (const place of places) {
    const path = join(place, name);
    if (place !== "" && isExecutable(path)) return { path };
  }
  return undefined;
}

/** The path of a part that `requireOrSkip` has found; throws where it is missing. */
export function pathOf(name: RealPartName): string {
  const part = realPart(name);
  if (part === undefined) throw new Error(missing(name));
  return part.path;
}

/**
 * True when all parts are there. Otherwise says loudly what is skipped and how to get it; with `CI=true`
 * it throws, so that a skip can never look like a pass. Use: `describe.runIf(requireOrSkip("restic"))(…)`.
 */
export function requireOrSkip(...names: readonly RealPartName[]): boolean {
  const absent = names.filter((name) => realPart(name) === undefined);
  if (absent.length === 0) return true;
  const message = absent.map(missing).join("\n");
  if (process.env["CI"] === "true") throw new Error(message);
  process.stderr.write(`\nSKIPPED TESTS\n${message}\n\n`);
  return false;
}

function missing(name: RealPartName): string {
  const place = fromAssets.has(name) ? "in KUBEBUILDER_ASSETS" : "on PATH";
  return `${name} is not ${place}, so its tests cannot run; get it: ${howToGet[name]}`;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
