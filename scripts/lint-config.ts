import { type Passage, passage } from "../test/architecture/wall-rules.ts";
import { ownedLibraries, type Wall, walls } from "../test/architecture/walls.ts";

type Pattern = { regex: string; message: string; allowTypeImports?: true };
type Override = { files: string[]; rules: Record<string, unknown> };

/** The whole of `.oxlintrc.json`: house rules, and the walls of every room. */
export function lintConfig(): object {
  const bySize = [...walls].sort((a, b) => depthOf(a.room) - depthOf(b.room));
  return {
    $schema: "node_modules/oxlint/configuration_schema.json",
    plugins: ["typescript", "unicorn", "oxc", "import", "promise", "vitest"],
    categories: { correctness: "error" },
    options: { typeAware: true, denyWarnings: true, reportUnusedDisableDirectives: "error" },
    ignorePatterns: ["node_modules", "dist", "coverage"],
    rules: houseRules,
    overrides: [
      ...bySize.flatMap(wallOverrides),
      ...walls.filter((wall) => wall.pure).map(pureOverride),
      { files: ["vitest.config.ts"], rules: { "import/no-default-export": "off" } },
      // The rows of a seed are one table, in its order; they stand in one suite because a CronJob's minute is paid once.
      { files: ["test/e2e/seeds/*.test.ts"], rules: { "max-lines-per-function": "off" } },
      { files: ["src/shells/**", "scripts/**", "test/**", "bin/**"], rules: { "no-console": "off" } },
    ],
  };
}

const houseRules = {
  // Control characters are what we look for, and what the API server sends is `unknown` until it is read.
  "no-control-regex": "off",
  "typescript/no-base-to-string": "off",
  // Ports are made of closures: a function taken out of one works like any other.
  "typescript/unbound-method": "off",
  // Laws and suites are functions of their own, called from many tests.
  "vitest/no-standalone-expect": "off",
  "vitest/expect-expect": ["error", { assertFunctionNames: ["expect*", "assert*", "fc.assert"] }],
  eqeqeq: "error",
  "no-console": "error",
  "no-var": "error",
  "prefer-const": "error",
  "max-lines": ["error", { max: 400 }],
  "max-lines-per-function": ["error", { max: 80 }],
  "max-params": ["error", { max: 4 }],
  "import/no-cycle": ["error", { ignoreTypes: true }],
  "import/no-default-export": "error",
  "typescript/no-explicit-any": "error",
  "typescript/no-non-null-assertion": "error",
  "typescript/no-floating-promises": "error",
  "typescript/no-misused-promises": "error",
  "typescript/await-thenable": "error",
  "typescript/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
  "typescript/only-throw-error": "error",
  "typescript/consistent-type-imports": "error",
};

/**
 * A relative specifier depends on how deep its file lies, so a wall looks at what stands after the `../`; the
 * test of the walls resolves every import, and forbids folders in a room that have another room's name.
 */
function wallOverrides(wall: Wall): Override[] {
  const patterns = [...roomPatterns(wall), ...libraryPatterns(wall), outside];
  const all = restricted(`src/${wall.room}/**/*.ts`, patterns);
  const around = walls.filter(({ room }) => isInside(wall.room, room) && passage(wall, room) === "closed");
  if (around.length === 0) return [all];
  const parents = around.map(({ room }) => ({
    regex: `^${"\\.\\./".repeat(depthOf(wall.room) - depthOf(room))}[^./][^/]*\\.ts$`,
    message: `${wall.room} never imports ${room}: ${wall.because}`,
  }));
  return [all, restricted(`src/${wall.room}/*.ts`, [...patterns, ...parents])];
}

function restricted(files: string, patterns: readonly Pattern[]): Override {
  return { files: [files], rules: { "no-restricted-imports": ["error", { patterns }] } };
}

function roomPatterns(wall: Wall): Pattern[] {
  const others = walls.map(({ room }) => room).filter((room) => !isInside(wall.room, room));
  const named = (way: Passage) =>
    others
      .filter((room) => passage(wall, room) === way)
      .map((room) => `${tailOf(wall, room)}/${inside(wall, room)}`);
  const regexOf = (tails: readonly string[]) => `^(?:\\.\\./)+(?:${tails.join("|")})`;
  const [closed, types] = [named("closed"), named("types")];
  const patterns: Pattern[] = [];
  if (closed.length > 0) patterns.push({ regex: regexOf(closed), message: `Forbidden: ${wall.because}` });
  if (types.length > 0) {
    patterns.push({ regex: regexOf(types), message: `Types only: ${wall.because}`, allowTypeImports: true });
  }
  return patterns;
}

/** Where a room holds another one with a way of its own, only the files of the outer one are meant. */
function inside(wall: Wall, room: string): string {
  const inner = walls.filter((other) => isInside(other.room, room));
  return inner.every((other) => passage(wall, other.room) === passage(wall, room)) ? "" : "[^/]*$";
}

/** What a specifier ends with, for an import of one room from another: the part that they do not share. */
function tailOf(wall: Wall, room: string): string {
  const [here, there] = [wall.room.split("/"), room.split("/")];
  let common = 0;
  while (common < here.length && here[common] === there[common]) common += 1;
  return there.slice(common).join("/");
}

function libraryPatterns(wall: Wall): Pattern[] {
  const closed = ownedLibraries
    .filter(({ rooms }) => !rooms.some((room) => wall.room === room || isInside(wall.room, room)))
    .map(({ library }) => library);
  const patterns: Pattern[] = [];
  if (closed.length > 0) {
    patterns.push({
      regex: `^(?:${closed.join("|")})(?:/|$)`,
      message: "Forbidden: this library belongs to another room",
    });
  }
  if (wall.pure) patterns.push({ regex: "^node:", message: `Forbidden: ${wall.because}` });
  return patterns;
}

const outside: Pattern = {
  regex: "^(?:\\.\\./)+(?:bin|docs|examples|scripts|test)/",
  message: "Forbidden: src/ imports nothing that is not shipped",
};

function pureOverride(wall: Wall): Override {
  const message = `${wall.room} is pure: ${wall.because}`;
  const globals = [
    "process",
    "fetch",
    "setTimeout",
    "setInterval",
    "setImmediate",
    "performance",
    "globalThis",
  ];
  return {
    files: [`src/${wall.room}/**/*.ts`],
    rules: {
      "no-restricted-globals": ["error", ...globals.map((name) => ({ name, message }))],
      "no-restricted-properties": [
        "error",
        { object: "Date", property: "now", message },
        { object: "Math", property: "random", message },
      ],
    },
  };
}

function depthOf(room: string): number {
  return room.split("/").length;
}

function isInside(room: string, other: string): boolean {
  return room.startsWith(`${other}/`);
}
