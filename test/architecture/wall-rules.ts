import { type Wall, walls } from "./walls.ts";

/** What one room may do with another. */
export type Passage = "open" | "types" | "closed";

/** The most specific entry of the table decides: `pass` opens what is below it unless a longer entry closes it. */
export function passage(from: Wall, to: string): Passage {
  if (from.room === to) return "open";
  const open = longestMatch(from.imports, to);
  const types = longestMatch(from.types ?? [], to);
  if (open === undefined && types === undefined) return "closed";
  return (open?.length ?? -1) > (types?.length ?? -1) ? "open" : "types";
}

function longestMatch(entries: readonly string[], room: string): string | undefined {
  return entries
    .filter((entry) => room === entry || room.startsWith(`${entry}/`))
    .sort((a, b) => b.length - a.length)[0];
}

/** The room that owns a file of `src/`, given from there (`pass/plan/plan.ts`). */
export function roomOf(file: string): Wall | undefined {
  return walls
    .filter(({ room }) => file.startsWith(`${room}/`))
    .sort((a, b) => b.room.length - a.room.length)[0];
}
