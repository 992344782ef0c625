import { parseEntryPath } from "../../../../src/api/record-layout.ts";
import { isFields } from "../../../../src/base/json.ts";
import type { Entry } from "../../../../src/pass/plan/step.ts";
import type { Recorded, RestoreEntry } from "../../../../src/pass/record/recorded.ts";
import { canonical } from "./merge-patch.ts";

export type Content = Readonly<Record<string, unknown>>;
type Tip = { readonly id: number; readonly files: ReadonlyMap<string, string> };

/** The record's branch: a map of paths, pushed to by compare-and-swap as the real one is. */
export class RecordBranch {
  private tip: Tip = { id: 0, files: new Map() };
  readonly pushed: Entry[] = [];

  read(): RecordAtTip {
    return new RecordAtTip(this.tip);
  }

  /** What a run knows that has not read the record since it began. */
  static unread(): RecordAtTip {
    return new RecordAtTip({ id: 0, files: new Map() });
  }

  /** True when the commit stands; false when a path that it writes is not what the plan saw. */
  push(seen: RecordAtTip, entries: readonly Entry[]): boolean {
    const stale = entries.some(({ path }) => this.tip.files.get(path) !== seen.tipFiles.get(path));
    if (stale) return false;
    const files = new Map(this.tip.files);
    for (const { path, content } of entries) {
      if (content === undefined) files.delete(path);
      else files.set(path, canonical(content));
    }
    this.tip = { id: this.tip.id + 1, files };
    this.pushed.push(...entries);
    return true;
  }

  content(path: string): Content | undefined {
    const text = this.tip.files.get(path);
    return text === undefined ? undefined : (JSON.parse(text) as Content);
  }
}

export class RecordAtTip implements Recorded {
  readonly tip: string;
  readonly tipFiles: ReadonlyMap<string, string>;
  private readonly restores: ReadonlyMap<string, RestoreEntry>;

  constructor({ id, files }: Tip) {
    this.tip = String(id).padStart(40, "0");
    this.tipFiles = files;
    this.restores = new Map(
      [...files].flatMap(([path, text]) => {
        const parsed = parseEntryPath(path);
        if (parsed?.kind !== "RestoreSession") return [];
        return [[`${parsed.namespace}/${parsed.name}`, restoreEntry(JSON.parse(text) as Content, this.tip)]];
      }),
    );
  }

  restore(namespace: string, name: string): RestoreEntry | undefined {
    return this.restores.get(`${namespace}/${name}`);
  }

  entry(path: string): string | undefined {
    return this.tipFiles.get(path);
  }

  holds(path: string, content: Content): boolean {
    return this.tipFiles.get(path) === canonical(content);
  }

  otherDays(): readonly string[] {
    return [];
  }

  paths(): readonly string[] {
    return [...this.tipFiles.keys()];
  }
}

function restoreEntry(content: Content, commit: string): RestoreEntry {
  const record = isFields(content["record"]) ? content["record"] : {};
  const text = (name: string) => String(record[name]);
  return {
    phase: text("phase"),
    specDigest: text("specDigest"),
    clusterUid: text("clusterUid"),
    uid: isFields(content["metadata"]) ? String(content["metadata"]["uid"]) : undefined,
    holder: text("holder"),
    claimedAtMs: Date.parse(text("claimedAt")),
    status: isFields(content["status"]) ? content["status"] : {},
    commit,
  };
}
