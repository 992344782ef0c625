import { type GitServer, sendReply } from "./git-remote.ts";

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
