/** The exit codes of every command: an API, documented in docs/cli.md. New ones may be added, none changes its meaning. */
export const ExitCode = {
  ok: 0,
  failed: 1,
  usage: 2,
  partial: 3,
  planHasChanges: 4,
  noRepository: 10,
  locked: 11,
  wrongPassword: 12,
  bug: 70,
  interrupted: 130,
} as const;
