import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jsonText, parseJson } from "../../../../src/base/exact-json.ts";
import { readYaml } from "../../../../src/base/yaml/read-yaml.ts";
import { jsonOf } from "../../../../src/base/yaml/yaml-node.ts";
import { yamlOf } from "../../../../src/mover/storage/yaml-of.ts";
import { limits } from "../../../../src/pass/declared/limits.ts";
import { fuzz } from "../../../support/fuzz.ts";
import { pathOf, requireOrSkip } from "../../../support/real-parts.ts";
import { nastyJson, traps } from "./json-arbitrary.ts";
import { yamlValue } from "./yaml-arbitrary.ts";
import { accepted, documentOf, files, refused } from "./yaml-table.ts";

/**
 * What kubectl reads in each file, without a server: `patch --local` prints every document as it was read and goes
 * on after a file that it refuses. Undefined stands for a file of which it printed nothing.
 */
function kubectlReads(texts: readonly string[], extension = "yaml"): readonly (unknown[] | undefined)[] {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-yaml-"));
  try {
    for (const [index, text] of texts.entries()) {
      writeFileSync(join(folder, `${String(index).padStart(6, "0")}.${extension}`), text);
    }
    const args = ["patch", "--local", "-f", folder, "-p", "{}", "--type", "merge", "-o", "json"];
    const options = { encoding: "utf8", timeout: 60_000, maxBuffer: 2 ** 30 } as const;
    const { stdout } = spawnSync(pathOf("kubectl"), args, options);
    const objects = stdout.split(/(?<=^\})\n(?=\{)/m).filter((object) => object.trim() !== "");
    const read = Map.groupBy(
      objects.map((object) => parseJson(object)),
      (object) => Number(/"name": "a(\d+)"/.exec(JSON.stringify(object, ["metadata", "name"], 1))?.[1]),
    );
    return texts.map((_text, index) => read.get(index));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What we read, or the refusal as text. */
function weRead(text: string): unknown[] | string {
  const { documents, refusals } = readYaml(new TextEncoder().encode(text), limits);
  return refusals[0]?.message ?? documents.map(jsonOf).filter((value) => value !== null);
}

/**
 * Where YAML 1.2 and JSON know what is meant, and kubectl's reader is stricter: tabs between things, `\/`, and
 * question marks within brackets.
 */
function isLenient(text: string): boolean {
  return /\t|\\\/|[[{][^]*\?/.test(text);
}

const atOnce = 800;
const many = { minLength: atOnce, maxLength: atOnce, size: "max" } as const;
const { numRuns, ...seed } = fuzz(atOnce, 8);
const runs = Math.ceil(numRuns / atOnce);
const options = { ...seed, numRuns: runs, endOnFailure: true };

describe.runIf(requireOrSkip("kubectl"))("kubectl", () => {
  test("reads everything that we accept, and reads it as we do", () => {
    const texts = accepted.map(documentOf);
    expect(kubectlReads(texts)).toEqual(texts.map(weRead));
    const stream = [texts.map((text) => text.replace(/name: a\d+/, "name: a0")).join("---\n")];
    expect(kubectlReads(stream)).toEqual(stream.map(weRead));
  });

  test("refuses what we refuse, or reads it in a way that surprises", () => {
    const read = kubectlReads(refused.map(documentOf)).map((values) => jsonText(values));
    const surprising = refused.flatMap((value, index) => {
      const x = /"x":(.*)\}\]$/.exec(read[index] ?? "")?.[1];
      // Of two keys that become one, it takes now this and now that.
      return x === undefined ? [] : [`${value} -> ${x.replace('{"true":1}', '{"true":2}')}`];
    });
    expect(surprising).toEqual([
      "02777777777777777777777 -> 2.777777777777778e+21",
      '0xFFFFFFFFFFFFFFFFF -> "0xFFFFFFFFFFFFFFFFF"',
      '._5 -> "._5"',
      ".5_0 -> 0.5",
      "+12345678901234567890 -> 12345678901234567000",
      "-9223372036854775809 -> -9223372036854776000",
      "123456789012345678901234567890 -> 1.2345678901234568e+29",
      "09999999999999999 -> 10000000000000000",
      "!!float 9007199254740993 -> 9007199254740992",
      '!foo bar -> "bar"',
      '!!binary aGk= -> "hi"',
      '!!set {a} -> {"a":null}',
      '!!omap [a: 1] -> [{"a":1}]',
      '[?a] -> [{"a":null}]',
      '{a:} -> {"a:":null}',
      '[a:] -> ["a:"]',
      '[!!str a:, b] -> ["a:","b"]',
      '[?a: b] -> [{"a":"b"}]',
      '[!!str :a] -> [{"":"a"}]',
      '{1.5: 3} -> {"1.5":3}',
      '{1e3: 3} -> {"1000":3}',
      '{!!float 1: 3} -> {"1":3}',
      '&a:b c -> ":b c"',
      '{yes: 1, "true": 2} -> {"true":2}',
      '{a: &a {p: 1}, b: {p: 2, <<: *a}} -> {"a":{"p":1},"b":{"p":1}}',
    ]);
  });

  test("cuts files into documents where we do, or we refuse the file", () => {
    const texts = files.map(([, text]) => text);
    const theirs = kubectlReads(texts);
    for (const [index, [name, text, ours]] of files.entries()) {
      const read = weRead(text);
      const shown = typeof read === "string" ? "refused" : read.length;
      expect([name, shown]).toEqual([name, ours]);
      const empty = typeof read === "string" || read.length === 0;
      expect([name, read]).toEqual([name, empty ? read : theirs[index]]);
    }
  });
});

describe.runIf(requireOrSkip("kubectl"))("kubectl, of 800 documents at a time,", () => {
  test("reads any YAML that we accept as we do, or not at all", { timeout: 30_000 * runs }, () => {
    fc.assert(
      fc.property(fc.array(yamlValue, many), (values) => {
        const texts = values.map(documentOf);
        const theirs = kubectlReads(texts);
        const read = texts.map(weRead);
        const wrong = texts.filter((text, index) => {
          const [we, they] = [read[index], theirs[index]];
          if (we === undefined || typeof we === "string") return false;
          return they === undefined ? !isLenient(text) : jsonText(sorted(we)) !== jsonText(sorted(they));
        });
        expect(wrong).toEqual([]);
        // The property would hold for a reader that refuses everything.
        const taken = read.filter((each) => typeof each !== "string").length;
        expect(taken / theirs.filter((each) => each !== undefined).length).toBeGreaterThan(0.8);
      }),
      options,
    );
  });

  test("reads what we write as what it was, keys too", { timeout: 30_000 * runs }, () => {
    const objectOf = (x: unknown, index: number) => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: `a${index}` },
      x,
    });
    const sees = (values: readonly unknown[]) => {
      const objects = values.map(objectOf);
      expect(kubectlReads(objects.map(yamlOf))).toEqual(objects.map((object) => [object]));
    };
    sees(traps.map((trap) => ({ [trap]: trap, list: [trap, [trap], { [trap]: { [trap]: [trap] } }] })));
    fc.assert(fc.property(fc.array(nastyJson, many), sees), options);
  });
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  // What an API server holds of a number without sign of 64 bits.
  if (typeof value === "bigint") return BigInt.asIntN(64, value) === value ? value : Number(value);
  if (typeof value !== "object" || value === null) return value === 0 ? 0 : value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([key, each]) => [key, sorted(each)]);
}
