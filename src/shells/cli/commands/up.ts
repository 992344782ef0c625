import { homedir } from "node:os";
import { join } from "node:path";
import { HoldfastError } from "../../../base/errors.ts";
import { ExitCode } from "../../../base/exit-code.ts";
import { type PassOptions, type RemoteOptions, withPass, withRemote } from "../remote-options.ts";
import type { AddCommand } from "../shell.ts";

type Options = RemoteOptions & PassOptions & { readonly state?: string; readonly port?: string };

export const addUp: AddCommand = (program, shell) => {
  const command = program
    .command("up")
    .description("a Kubernetes of your own in one process, kept as Git declares it, until it is stopped")
    .option("--state <folder>", "where the cluster's state is kept (~/.local/share/holdfast/<cluster>)")
    .option("--port <number>", "port on 127.0.0.1 (a free one)")
    .addHelpText(
      "after",
      "\nA --remote that is a plain folder needs no Git: its YAML files are committed to a repository in the state folder as they are saved.\n\nExamples:\n  holdfast up --remote ./gitops-repo.git --cluster laptop\n  holdfast up --remote ./manifests --cluster laptop",
    );
  withPass(withRemote(command)).action(async (options: Options) => {
    const { plainFolder, requireCluster } = await import("../remote-options.ts");
    const { startLocalCluster } = await import("../../local-cluster.ts");
    const { connect } = await import("../connect.ts");
    const { runController } = await import("../../controller/run-controller.ts");
    const cluster = requireCluster(options);
    const port = portOf(options);
    const state =
      options.state ??
      join(process.env["XDG_DATA_HOME"] ?? join(homedir(), ".local", "share"), "holdfast", cluster);
    const folder = plainFolder(options);
    if (folder !== undefined) {
      const { refuseStateInside } = await import("../up-folder.ts");
      await refuseStateInside(folder, state);
    }
    const local = await startLocalCluster({
      state,
      signal: shell.signal,
      ...(port === undefined ? {} : { port }),
    });
    try {
      process.stdout.write(
        `The cluster answers at ${local.url}\n  export KUBECONFIG=${local.kubeconfigPath}\n`,
      );
      const kubeconfig = local.kubeconfigPath;
      if (folder === undefined) {
        const { ports, request } = await connect({ ...options, kubeconfig }, shell.signal);
        await runController(ports, request);
      } else {
        const { upFolder } = await import("../up-folder.ts");
        await upFolder({ ...options, kubeconfig, folder, state }, shell);
      }
    } finally {
      await local.close();
    }
  });
};

function portOf({ port }: Options): number | undefined {
  if (port === undefined) return undefined;
  if (/^\d{1,5}$/.test(port) && Number(port) <= 65_535) return Number(port);
  throw new HoldfastError("PortInvalid", `--port ${port} is not a port`, {
    disposition: "stall",
    next: "give a number up to 65535, or leave the option out for a free one",
    exitCode: ExitCode.usage,
  });
}
