import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileNotWritten } from "../../base/file-error.ts";

/** A folder that only this user can enter, gone at the end, also after an error or a signal. */
export async function withPrivateFolder<Answer>(
  name: string,
  use: (folder: string) => Promise<Answer>,
): Promise<Answer> {
  const prefix = join(tmpdir(), `holdfast-${name}-`);
  const folder = await mkdtemp(prefix).catch((thrown: unknown) => {
    throw fileNotWritten(prefix, thrown);
  });
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
