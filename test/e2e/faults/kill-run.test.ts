import { describeKills } from "./kill-matrix.ts";

describeKills("run");
