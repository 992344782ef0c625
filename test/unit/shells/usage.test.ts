import { expect, test } from "vitest";
import { createProgram } from "../../../src/shells/cli/program.ts";

function run(args: readonly string[]): Promise<unknown> {
  const program = createProgram({ signal: new AbortController().signal, setExitCode: () => undefined });
  for (const command of [program, ...program.commands])
    command.configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
  return program.parseAsync([...args], { from: "user" });
}

test.each([
  { args: ["pause", "backupconfiguration"], says: "backupconfiguration is not KIND/NAME" },
  {
    args: ["pause", "backupconfiguratoin/x"],
    says: "there is no kind backupconfiguratoin",
    next: "did you mean backupconfiguration?",
  },
  {
    args: ["pause", "pod/x"],
    says: "there is no kind pod",
    next: "these can be paused: Repository, Snapshot, BackupConfiguration",
  },
  { args: ["pause", "backupstorage/store"], says: "a BackupStorage has nothing to pause" },
  {
    args: ["resume", "repository/x", "--pr"],
    says: "--pr is not supported in this release",
    next: "pass --commit",
  },
])("$args is refused: $says", async ({ args, says, next }) => {
  const thrown = await run(args).catch((error: unknown) => error);
  expect(thrown).toMatchObject({ message: says, exitCode: 2, next: expect.stringContaining(next ?? "") });
});

test.each([
  { args: ["pause"], says: "error: missing required argument 'kind/name'" },
  { args: ["snapshot"], says: "error: unknown command 'snapshot'\n(Did you mean snapshots?)" },
  {
    args: ["status", "--namspace", "x"],
    says: "error: unknown option '--namspace'\n(Did you mean --namespace?)",
  },
  {
    args: ["status", "-o", "jsno"],
    says: "error: option '-o, --output <format>' argument 'jsno' is invalid. Allowed choices are text, json.",
  },
])("$args is a usage error with a hint", async ({ args, says }) => {
  const thrown = await run(args).catch((error: unknown) => error);
  expect(thrown).toMatchObject({ name: "CommanderError", message: says });
});
