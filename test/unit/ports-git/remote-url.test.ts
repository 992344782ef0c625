import { describe, expect, test } from "vitest";
import { parseRemoteUrl } from "../../../src/ports/git/remote-url.ts";

describe("a remote's URL", () => {
  test.each([
    ["https://host/a/b.git", { kind: "http", base: "https://host/a/b.git", userinfo: undefined }],
    ["http://host:3000/a/", { kind: "http", base: "http://host:3000/a", where: "http://host:3000/a" }],
    [
      "https://me:p%40ss@host/a",
      { where: "https://host/a", userinfo: { username: "me", password: "p@ss", asWritten: "p%40ss" } },
    ],
    ["/srv/git/a b.git", { kind: "local", path: "/srv/git/a b.git" }],
    ["file:///srv/a%20b.git", { kind: "local", path: "/srv/a b.git" }],
    ["ssh://git@host/a.git", { kind: "ssh", destination: "git@host", port: undefined, path: "/a.git" }],
    ["ssh://host:2222/~me/a.git", { kind: "ssh", destination: "host", port: 2222, path: "~me/a.git" }],
    ["git@host:owner/a.git", { kind: "ssh", destination: "git@host", path: "owner/a.git" }],
    ["ssh://git@[::1]:22/a", { kind: "ssh", destination: "git@::1", port: 22 }],
  ])("%s is understood", (url, expected) => {
    expect(parseRemoteUrl(url)).toMatchObject(expected);
  });

  test.each([
    "",
    "git://host/a.git",
    "ftp://host/a",
    "ext::sh -c touch% /tmp/x",
    "relative/path",
    "./path",
    "file://host/a",
    "ssh://-oProxyCommand=x/a",
    "ssh://git@-oProxyCommand=x/a",
    "-oProxyCommand=x:a",
    "-u@host:a",
    "git@host:-a",
    "ssh://host/",
    "ssh://a%20b@host/a",
    "ssh://host/a\nb",
    "https://",
    "https://host/a?access_token=s3cret",
    "https://host/a#s3cret",
    "https://me:s3cret%zz@host/a",
    "ssh://me:s3cret@host/a",
    "me:s3cret@host/a.git",
    "file:///srv/a%2fb",
  ])("%j is refused by name", (url) => {
    expect(() => parseRemoteUrl(url)).toThrow(
      expect.objectContaining({ reason: "RemoteUrlRefused", disposition: "stall" }),
    );
  });

  test.each([
    "ftp://user:s3cret@host/a",
    "https://host/a?access_token=s3cret",
    "https://me:s3cret%zz@host/a",
    "ssh://me:s3cret@host/a",
    "me:s3cret@host/a.git",
  ])("a refusal does not repeat the URL %j, which may hold a token", (url) => {
    expect(() => parseRemoteUrl(url)).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining("s3cret") }),
    );
  });
});
