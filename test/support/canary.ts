import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { inflateSync } from "node:zlib";

/** A planted value by what it stands for; the value holds a core that no encoding but base64 and hex changes. */
export type Canaries = Readonly<Record<string, string>>;

/** A value with what URLs, forms, JSON and shells escape around a core of letters and digits. */
export function newCanary(): string {
  return `/+ "ü%$${randomBytes(12).toString("hex")}'\\@`;
}

/** Which canaries stand in a text or in bytes: as they are, in hexadecimals, or in base64 at any offset. */
export function canariesIn(content: string | Buffer, canaries: Canaries): readonly string[] {
  const bytes = typeof content === "string" ? Buffer.from(content, "utf8") : content;
  return Object.entries(canaries).flatMap(([name, value]) =>
    needlesOf(value).some((needle) => bytes.includes(needle, 0, "latin1")) ? [name] : [],
  );
}

function needlesOf(value: string): readonly string[] {
  const core = /[0-9A-Za-z-]{12,}/.exec(value)?.[0] ?? value;
  const bytes = Buffer.from(core, "latin1");
  const base64 = [0, 1, 2].map((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes]);
    return whole.toString("base64").slice(Math.ceil((before * 8) / 6), Math.floor((whole.length * 8) / 6));
  });
  return [core, bytes.toString("hex"), ...base64];
}

/** Every file below a folder that holds a canary, in its name, as it is, or once inflated, as `path: canary`. */
export function canariesBelow(folder: string, canaries: Canaries): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) => {
    const path = join(entry.parentPath, entry.name);
    const inName = canariesIn(entry.name, canaries);
    const bytes = entry.isFile() ? readFileSync(path) : Buffer.alloc(0);
    const found = [...inName, ...canariesIn(bytes, canaries), ...canariesIn(inflated(bytes), canaries)];
    return [...new Set(found)].map((name) => `${path.slice(folder.length + 1)}: ${name}`);
  });
}

function inflated(bytes: Buffer): Buffer {
  try {
    return inflateSync(bytes, { maxOutputLength: 2 ** 24 });
  } catch {
    return Buffer.alloc(0);
  }
}
