import { describe, expect, test } from "vitest";
import { sshCommand } from "../../../src/ports/git/ssh-command.ts";

const target = { destination: "git@host", port: undefined, command: "git-upload-pack 'a'" };

function commandWith(line: string | undefined) {
  const environment = line === undefined ? {} : { GIT_SSH_COMMAND: line };
  return sshCommand(target, { files: {}, connectMs: 15_000, environment });
}

describe("the command line of ssh", () => {
  test("asks nothing, accepts no unseen host key, and cannot take the host for an option", () => {
    const { file, args } = sshCommand(
      { ...target, port: 2222 },
      {
        files: { identityFile: "/a key", knownHostsFile: "/100%" },
        connectMs: 1_500,
        environment: {},
      },
    );
    expect(file).toBe("ssh");
    expect(args.filter((word) => word !== "-o")).toEqual([
      "BatchMode=yes",
      "ConnectTimeout=2",
      "SendEnv=GIT_PROTOCOL",
      "StrictHostKeyChecking=yes",
      "IdentitiesOnly=yes",
      'IdentityFile="/a key"',
      'UserKnownHostsFile="/100%%"',
      "-p",
      "2222",
      "--",
      "git@host",
      "git-upload-pack 'a'",
    ]);
  });

  test.each([
    [
      "ssh -i ~/.ssh/key -o StrictHostKeyChecking=no",
      ["ssh", "-i", "~/.ssh/key", "-o", "StrictHostKeyChecking=no"],
    ],
    ["  /opt/my\\ ssh\t-v ", ["/opt/my ssh", "-v"]],
    [`'/opt/s s h' -o "ProxyCommand=nc %h %p"`, ["/opt/s s h", "-o", "ProxyCommand=nc %h %p"]],
    [`ssh -i '/a"b' -F "/c\\"d\\$e"`, ["ssh", "-i", '/a"b', "-F", '/c"d$e']],
    ["", ["ssh"]],
  ])("GIT_SSH_COMMAND %j goes first, split as a shell would", (line, words) => {
    const { file, args } = commandWith(line);
    expect([file, ...args].slice(0, words.length)).toEqual(words);
    expect(args[words.length - 1]).toBe("-o");
    expect(args[words.length]).toBe("BatchMode=yes");
  });

  test.each([
    "ssh -i $HOME/key",
    "ssh `id`",
    "ssh; id",
    "ssh -i 'open",
    'ssh -i "open',
    'ssh -i "$HOME"',
    "KEY=x ssh",
    "ssh > /tmp/x",
    "ssh &",
    "ssh # no",
    "ssh \\",
  ])("GIT_SSH_COMMAND %j, which needs a shell, is refused", (line) => {
    expect(() => commandWith(line)).toThrow(
      expect.objectContaining({ reason: "SshCommandRefused", disposition: "stall" }),
    );
  });
});
