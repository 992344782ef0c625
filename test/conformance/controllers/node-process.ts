// A process of its own with all controllers, to be killed. Argument: NodeProcessOptions as JSON.
import { startControllers } from "../../../src/embedded/controllers/start-controllers.ts";
import { httpApi } from "../../support/http-api.ts";

export type NodeProcessOptions = {
  readonly url: string;
  readonly ca: string;
  readonly token: string;
  readonly kubeconfig: string;
  readonly stateDirectory: string;
  readonly image: string;
  readonly command: readonly string[];
};

const options = JSON.parse(process.argv[2] ?? "{}") as NodeProcessOptions;

await startControllers({
  api: httpApi(options),
  stateDirectory: options.stateDirectory,
  images: [options.image],
  command: options.command,
  credentials: async () => options.kubeconfig,
});
