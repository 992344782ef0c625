import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isYamlRefusal, readYaml } from "../../../src/pass/declared/yaml.ts";
import { jsonOf } from "../../../src/pass/declared/yaml-node.ts";
import { pathOf, requireOrSkip } from "../../support/real-parts.ts";
import { accepted, documentOf } from "./yaml-table.ts";

describe.runIf(requireOrSkip("kubectl"))("kubectl", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "holdfast-yaml-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** `kubectl patch --local` prints every document as kubectl read it, without a server. */
  function kubectlReads(text: string): unknown[] {
    const file = join(folder, "stream.yaml");
    writeFileSync(file, text);
    const args = ["patch", "--local", "-f", file, "-p", "{}", "--type", "merge", "-o", "json"];
    const printed = execFileSync(pathOf("kubectl"), args, { encoding: "utf8", timeout: 20_000 });
    return printed.split(/(?<=^\})\n(?=\{)/m).map((object) => JSON.parse(object));
  }

  test("reads everything that we accept, and reads it as we do", () => {
    const stream = accepted.map(documentOf).join("---\n");
    const read = readYaml(new TextEncoder().encode(stream));
    if (isYamlRefusal(read)) throw new Error(`line ${read.line}: ${read.message}`);
    expect(kubectlReads(stream)).toEqual(read.map(jsonOf));
    expect(read).toHaveLength(accepted.length);
  });

  test("reads CRLF files and files with a byte order mark as we do", () => {
    const text = `\uFEFF${documentOf("|\n  a\n  b", 0)}y: 'c\n\n  d'\n`.replaceAll("\n", "\r\n");
    const read = readYaml(new TextEncoder().encode(text));
    if (isYamlRefusal(read)) throw new Error(`line ${read.line}: ${read.message}`);
    expect(kubectlReads(text)).toEqual(read.map(jsonOf));
  });
});
