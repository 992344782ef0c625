import { type Bench, figure, inPairs } from "./bench.ts";
import { timedProcess } from "./timed-process.ts";

export const cliStart: Bench = {
  name: "cli-start",
  about: "the built command's start, against Node.js's own",
  async run({ built }) {
    const figures = [];
    for (const args of [["--version"], ["--help"], ["restore", "--help"]]) {
      const { ours, floor } = await inPairs(
        15,
        () => timedProcess(process.execPath, [built.entry, ...args]),
        () => timedProcess(process.execPath, ["-e", "0"]),
      );
      const values = { ours: ours.map((one) => one.wallMs), floor: floor.map((one) => one.wallMs) };
      figures.push(figure(`cli-start ${args.join(" ")}`, "ms", values, { against: "node -e 0" }));
    }
    return figures;
  },
};
