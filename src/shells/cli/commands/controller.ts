import {
  type KubeOptions,
  type PassOptions,
  type RemoteOptions,
  withKube,
  withPass,
  withRemote,
} from "../remote-options.ts";
import type { AddCommand } from "../shell.ts";

export const addController: AddCommand = (program, shell) => {
  const command = program
    .command("controller")
    .description("keep the cluster as Git declares it, until it is stopped")
    .addHelpText(
      "after",
      "\nExample:\n  holdfast controller --remote https://git.example.com/ops.git --cluster production --kubeconfig ~/.kube/config",
    );
  withPass(withKube(withRemote(command))).action(
    async (options: RemoteOptions & KubeOptions & PassOptions) => {
      const { connect } = await import("../connect.ts");
      const { runController } = await import("../../controller/run-controller.ts");
      const { ports, request } = await connect(options, shell.signal);
      await runController(ports, request);
    },
  );
};
