import { isAbsolute } from "node:path";
import { fileURLToPath } from "node:url";
import { HoldfastError } from "../../base/errors.ts";

export type Userinfo = {
  readonly username: string;
  readonly password: string;
  /** The secret part as it stands in the URL, percent-encoded by whoever wrote it. */
  readonly asWritten: string;
};

export type RemoteAddress =
  | {
      readonly kind: "http";
      readonly where: string;
      /** Without credentials and trailing slash. */
      readonly base: string;
      readonly userinfo: Userinfo | undefined;
    }
  | { readonly kind: "local"; readonly where: string; readonly path: string }
  | {
      readonly kind: "ssh";
      readonly where: string;
      /** `host` or `user@host`. */
      readonly destination: string;
      readonly port: number | undefined;
      readonly path: string;
    };

/**
 * What a remote's URL means: `https://…`, `http://…`, `ssh://[user@]host[:port]/path`, `[user@]host:path`,
 * `file:///path` or `/path`. Anything else, and whatever a command could take for an option, is refused.
 */
export function parseRemoteUrl(url: string): RemoteAddress {
  if (/[\0\r\n]/.test(url) || url === "") throw refused("it is empty or holds a line break", "Give one URL.");
  if (isAbsolute(url)) return { kind: "local", where: url, path: url };
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase();
  if (scheme === undefined) return parseScpLike(url);
  if (!URL.canParse(url))
    throw refused("it cannot be parsed", "Give a URL such as https://host/owner/name.git.");
  const parsed = new URL(url);
  switch (scheme) {
    case "http":
    case "https":
      return httpAddress(parsed);
    case "file":
      return localAddress(parsed);
    case "ssh":
    case "git+ssh":
      if (parsed.password !== "")
        throw refused(
          "ssh takes no password from a URL",
          'Use a key: GIT_SSH_COMMAND="ssh -i /path/to/key".',
        );
      return sshAddress({
        user: decoded(parsed.username),
        host: parsed.hostname.replace(/^\[|\]$/g, ""),
        port: parsed.port === "" ? undefined : Number(parsed.port),
        path: decoded(parsed.pathname).replace(/^\/~/, "~"),
      });
    default:
      throw refused(`"${scheme}://" is not supported`, "Use https://, ssh://, file:// or a local path.");
  }
}

function httpAddress(parsed: URL): RemoteAddress {
  const { username, password, search, hash } = parsed;
  if (search !== "" || hash !== "")
    throw refused(
      "it holds a query or a fragment",
      "Give the repository's URL alone; a token belongs into HOLDFAST_GIT_TOKEN.",
    );
  const plain = new URL(parsed);
  plain.username = "";
  plain.password = "";
  const base = plain.href.replace(/\/+$/, "");
  const userinfo =
    username === "" && password === ""
      ? undefined
      : { username: decoded(username), password: decoded(password), asWritten: password || username };
  return { kind: "http", where: base, base, userinfo };
}

/** Percent signs that encode nothing are an error of whoever wrote the URL, and not ours. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refused("it holds a percent sign that encodes nothing", "Write a percent sign as %25.");
  }
}

function localAddress(parsed: URL): RemoteAddress {
  if (parsed.hostname !== "") throw refused("a file URL may not name a host", "Write file:///path.");
  if (/%2f/i.test(parsed.pathname))
    throw refused("its path holds an encoded slash", "Write the slash as it is.");
  const path = fileURLToPath(parsed);
  return { kind: "local", where: path, path };
}

function parseScpLike(url: string): RemoteAddress {
  const match = /^(?:([^@:/]+)@)?(\[[0-9a-f:.]+\]|[^@:/[\]]+):([^:].*)$/i.exec(url);
  if (!match) {
    throw refused(
      "it is neither a URL nor an absolute path",
      "Give an absolute path, or a URL such as https://host/owner/name.git.",
    );
  }
  const [, user = "", host = "", path = ""] = match;
  // user:token@host/path, of which the token would become a path, and be shown.
  if (user === "" && /^[^/]*@/.test(path))
    throw refused("it looks like a URL without its scheme", "Write https:// before it.");
  return sshAddress({ user, host: host.replace(/^\[|\]$/g, ""), port: undefined, path });
}

type SshParts = {
  readonly user: string;
  readonly host: string;
  readonly port: number | undefined;
  readonly path: string;
};

function sshAddress({ user, host, port, path }: SshParts): RemoteAddress {
  // Allow-lists: these words become arguments of ssh and of a command at the other end.
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(user) && user !== "")
    throw refused("its user name is not a plain name", sshForm);
  if (!/^[A-Za-z0-9:][A-Za-z0-9_.:%-]*$/.test(host))
    throw refused("its host is not a plain name or address", sshForm);
  if (path === "" || path === "/" || path.startsWith("-") || /\0/.test(path))
    throw refused("its path is missing or begins with a dash", sshForm);
  const destination = user === "" ? host : `${user}@${host}`;
  const where = `ssh://${destination}${port === undefined ? "" : `:${port}`}/${path.replace(/^\//, "")}`;
  return { kind: "ssh", where, destination, port, path };
}

const sshForm = "Write ssh://user@host/path or user@host:path.";

function refused(why: string, next: string): HoldfastError {
  return new HoldfastError("RemoteUrlRefused", `The remote's URL is refused: ${why}`, {
    disposition: "stall",
    next,
  });
}
