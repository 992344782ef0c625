import { type GitServer, sendReply } from "../support/git-remote.ts";

/** Bytes of the replies since the last call. */
export function countBytes(server: GitServer): () => number {
  let bytes = 0;
  server.intercept = async ({ response, next }) => {
    const reply = await next();
    bytes += reply.body.length;
    sendReply(response, reply);
  };
  return () => {
    const taken = bytes;
    bytes = 0;
    return taken;
  };
}

/** The server's URL with what it asks for, for the git command. */
export function authorised(
  url: string,
  { username, password }: Pick<GitServer, "username" | "password">,
): string {
  return url.replace("://", `://${encodeURIComponent(username)}:${encodeURIComponent(password)}@`);
}
