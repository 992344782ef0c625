import { systemClock } from "../../../src/base/clock.ts";
import { openRemote, type RemoteOptions } from "../../../src/ports/git/open-remote.ts";

/** What the process is told, as JSON in its first argument. */
export type WriterTask = { readonly options: RemoteOptions; readonly name: string; readonly entries: number };

/** Pushes one commit per entry to `main`, each on top of the tip, as often as it takes; prints how often it moved. */
const { options, name, entries } = JSON.parse(process.argv[2] ?? "") as WriterTask;
const remote = openRemote(options);
const author = { name, email: `${name}@example.org` };
let expect = await remote.tip("main");
let moved = 0;
for (let n = 0; n < entries; ) {
  const path = `sessions/${name}/${n % 10}/${n}.yaml`;
  const changes = [{ path, content: `writer: ${name}\nentry: ${n}\n` }];
  const request = { branch: "main", expect, changes, message: `${name} ${n}`, author, at: systemClock.now() };
  const result = await remote.push(request);
  if (result.kind === "pushed") {
    expect = result.commit;
    n += 1;
  } else {
    expect = result.tip;
    moved += 1;
    await systemClock.sleep(Math.random() * 50);
  }
}
process.stdout.write(`${moved}\n`);
