import { HoldfastError } from "../../base/errors.ts";

const longestWords = 2_000;

/** Words of a server or of a command, made fit for a message: bounded, one line, no control characters. */
export function wordsOf(text: string): string {
  const oneLine = text
    .replace(/\s*\r?\n\s*/g, "; ")
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, "")
    .replace(/(; )+$/, "")
    .trim();
  return oneLine.length > longestWords ? `${oneLine.slice(0, longestWords)}…` : oneLine;
}

export function unreachable(where: string, what: string, cause?: unknown): HoldfastError {
  return new HoldfastError("RemoteUnreachable", `The remote ${where} ${what}`, {
    disposition: "retry",
    next: "Check that the remote is up and that the network lets Holdfast reach it.",
    cause,
  });
}

/** A reply that breaks the protocol or ends early: nothing of it is used. */
export function brokenReply(what: string): HoldfastError {
  return new HoldfastError("RemoteUnreachable", `The remote's reply is broken: ${what}`, {
    disposition: "retry",
    next: "Try again; if it persists, check what stands between Holdfast and the remote.",
  });
}

export function authenticationFailed(where: string, words: string): HoldfastError {
  return new HoldfastError(
    "RemoteAuthenticationFailed",
    `The remote ${where} refused the credentials: ${words}`,
    {
      disposition: "stall",
      next: "Give Holdfast a user and token (or key) that may read the remote and push to the record's branch.",
    },
  );
}

/** What a remote shows to prove who it is (a certificate, a host key) is not one that we trust. */
export function notTrusted(
  reason: "CertificateNotTrusted" | "HostKeyNotTrusted",
  message: string,
  next: string,
): HoldfastError {
  return new HoldfastError(reason, message, { disposition: "stall", next });
}

export function proxyRefusedUs(proxy: string, words: string): HoldfastError {
  return new HoldfastError(
    "RemoteAuthenticationFailed",
    `The proxy ${proxy} refused the credentials: ${words}`,
    {
      disposition: "stall",
      next: "Put the proxy's user and password into HTTPS_PROXY (or HTTP_PROXY): http://user:password@host:port, percent-encoded.",
    },
  );
}

export function credentialsMissing(where: string, words: string): HoldfastError {
  return new HoldfastError(
    "RemoteAuthenticationFailed",
    `The remote ${where} asks for credentials, and none were given: ${words}`,
    { disposition: "stall", next: "Give Holdfast a user and token that may read the remote." },
  );
}

export function remoteNotFound(where: string, words: string): HoldfastError {
  return new HoldfastError("RemoteNotFound", `There is no Git repository at ${where}: ${words}`, {
    disposition: "stall",
    next: "Check the URL; many forges say the same when the credentials may not see a private repository.",
  });
}

export function unsupported(where: string, what: string, next: string): HoldfastError {
  return new HoldfastError("RemoteUnsupported", `The remote ${where} ${what}`, {
    disposition: "stall",
    next,
  });
}

export function objectMissing(
  where: string,
  oid: string,
  words = "the remote does not have it",
): HoldfastError {
  return new HoldfastError("ObjectMissing", `Object ${oid} cannot be had from ${where}: ${words}`, {
    disposition: "stall",
    next: "Check that the commit was not removed from the remote, and run `git fsck` there.",
  });
}

export function objectTooLarge(what: string, limitBytes: number): HoldfastError {
  return new HoldfastError("ObjectTooLarge", `${what} is larger than the limit of ${limitBytes} bytes`, {
    disposition: "stall",
    next: "Keep large files out of the folder that Holdfast reads.",
  });
}

/** Content that Git itself would refuse in `git fsck`, or a request that cannot be carried out on this tree. */
export function malformed(what: string): HoldfastError {
  return new HoldfastError("ObjectMalformed", what, {
    disposition: "stall",
    next: "Run `git fsck --strict` on the remote.",
  });
}

export function unsafePath(path: string, why: string): HoldfastError {
  return new HoldfastError("UnsafePath", `The path ${JSON.stringify(path)} is refused: ${why}`, {
    disposition: "stall",
    next: "Rename the entry; Holdfast neither reads nor writes such a path.",
  });
}

export function pathConflict(path: string, why: string): HoldfastError {
  return new HoldfastError("PathConflict", `${JSON.stringify(path)} cannot be written: ${why}`, {
    disposition: "stall",
    next: "Remove or rename what is in the way.",
  });
}

export function aborted(where: string): HoldfastError {
  return new HoldfastError("Aborted", `The conversation with ${where} was broken off on request`, {
    disposition: "retry",
    exitCode: 130,
  });
}

export function pushRefused(where: string, branch: string, words: string): HoldfastError {
  return new HoldfastError("PushRefused", `The remote ${where} refused the push to ${branch}: ${words}`, {
    disposition: "stall",
    next: /branch is currently checked out/i.test(words)
      ? `${branch} is checked out there, and receive.denyCurrentBranch keeps its files from falling behind: name the repository that it is a clone of as the remote, or check out another branch there.`
      : `Allow Holdfast's user to push to ${branch}: see the branch's protection and the server's hooks.`,
  });
}
