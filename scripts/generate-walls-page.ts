import { readFileSync, writeFileSync } from "node:fs";
import { ownedLibraries, walls } from "../test/architecture/walls.ts";
import { table } from "./schemas/spec-page.ts";

const page = "ARCHITECTURE.md";
const start = "<!-- walls: made from test/architecture/walls.ts by `npm run generate`; change it there -->";
const end = "<!-- walls: end -->";

/** Writes the table of the walls between its two marks in ARCHITECTURE.md; `root` is the project's URL with a `/`. */
export function generateWallsPage(root: string): void {
  const place = new URL(page, root);
  const text = readFileSync(place, "utf8");
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${page} lacks the marks "${start}" and "${end}"`);
  writeFileSync(place, `${text.slice(0, from)}${start}\n\n${wallsText()}\n\n${text.slice(to)}`);
}

function wallsText(): string {
  const rooms = table(
    ["room", "may import", "types only", "pure", "because"],
    walls.map((wall) => [
      code(wall.room),
      listed(wall.imports),
      listed(wall.types ?? []),
      wall.pure ? "yes" : "",
      wall.because,
    ]),
  );
  const libraries = table(
    ["library", "belongs to"],
    ownedLibraries.map((owned) => [code(owned.library), listed(owned.rooms)]),
  );
  return `${rooms}\n\nLibraries of one trade, and the rooms that may import them:\n\n${libraries}`;
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? "–" : names.map(code).join(", ");
}

function code(name: string): string {
  return `\`${name}\``;
}

if (import.meta.main) generateWallsPage(new URL("../", import.meta.url).href);
