import type { RestoreComponent } from "../api/restore-session.ts";
import { formatSize } from "../api/size.ts";
import type { Progress } from "../ports/restic/restic.ts";

/** RestoreSession.status.components[].progress, while restic runs. */
export function restoreProgressOf(progress: Progress): RestoreComponent {
  const { secondsElapsed, percentDone, totalFiles, filesDone, totalBytes, bytesDone } = progress;
  const speed = secondsElapsed > 0 ? bytesDone / secondsElapsed : 0;
  return {
    phase: "Running",
    progress: {
      secondsElapsed,
      percentDone: `${percentDone}%`,
      totalFiles,
      filesDone,
      restoreDone: formatSize(bytesDone),
      total: formatSize(totalBytes),
      speed: `${formatSize(speed)}/s`,
    },
  };
}
