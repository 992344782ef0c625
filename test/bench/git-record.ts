import type { GitRepository } from "../support/git-remote.ts";

export const recordBranch = "holdfast-record";
export const cluster = "production";

/** Five minutes apart, so a day has 288 of them. */
const everyMs = 300_000;
const lastMs = Date.UTC(2026, 5, 30, 23, 55);

/**
 * A record as years leave it: half of the entries are sessions of one configuration every five minutes, the rest
 * is spread over 200 repositories' Snapshots.
 */
export function fillRecord(repository: GitRepository, entries: number): void {
  const commit = `commit refs/heads/${recordBranch}\ncommitter A <a@example.org> 1700000000 +0000\ndata 0\n\n`;
  const format = file("format.yaml", 'format: "holdfast-record"\nversion: 1\n');
  const texts = Array.from({ length: entries }, (_, n) => entryText(n));
  repository.gitWith(`${commit}${format}${texts.join("")}`, "fast-import", "--quiet");
}

function entryText(n: number): string {
  const ofSession = n % 2 === 0;
  const at = new Date(lastMs - (n >> 1) * (ofSession ? everyMs : everyMs * 10)).toISOString();
  const day = at.slice(0, 10).replaceAll("-", "/");
  const name = ofSession
    ? `orders-often-${Date.parse(at) / 1000}`
    : `shop-${n % 401}-${Date.parse(at) / 1000}`;
  const path = ofSession ? `sessions/shop/orders/${day}` : `snapshots/shop/repository-${n % 200}/${day}`;
  return file(`clusters/${cluster}/${path}/${name}.yaml`, content(name, at));
}

function content(name: string, at: string): string {
  return `apiVersion: "core.kubestash.com/v1alpha1"\nkind: "BackupSession"\nmetadata:\n  creationTimestamp: "${at}"\n  name: "${name}"\n  namespace: "shop"\nspec:\n  session: "often"\nstatus:\n  phase: "Succeeded"\n`;
}

function file(path: string, text: string): string {
  return `M 100644 inline ${path}\ndata ${text.length}\n${text}\n`;
}

/** Another day's session, which is in none of them yet. */
export const newEntry = {
  path: `clusters/${cluster}/sessions/shop/orders/2026/07/01/orders-often-1782864000.yaml`,
  content: {
    apiVersion: "core.kubestash.com/v1alpha1",
    kind: "BackupSession",
    metadata: { name: "orders-often-1782864000" },
  },
};
