import type { PromiseFsClient } from "isomorphic-git";

/**
 * A Git directory that exists in memory only: where isomorphic-git makes the objects and the pack of one push.
 * It holds loose objects and nothing else; every other file is absent.
 */
export function memoryGitdir(): PromiseFsClient {
  const files = new Map<string, Uint8Array>();
  const absent = (path: string): Promise<never> =>
    Promise.reject(Object.assign(new Error(`no such file: ${path}`), { code: "ENOENT" }));
  const find = (path: string) => {
    const bytes = files.get(path);
    return bytes ? Promise.resolve(bytes) : absent(path);
  };
  const describe = async (path: string) => {
    const bytes = await find(path);
    return { isFile: () => true, isDirectory: () => false, isSymbolicLink: () => false, size: bytes.length };
  };
  return {
    promises: {
      readFile: find,
      writeFile: async (path: string, bytes: Uint8Array) => void files.set(path, bytes),
      mkdir: async () => undefined,
      rmdir: absent,
      unlink: async (path: string) => void files.delete(path),
      readdir: absent,
      stat: describe,
      lstat: describe,
      readlink: absent,
      symlink: absent,
    },
  };
}
