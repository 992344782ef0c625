import { Type } from "typebox";
import { clusterName } from "./cluster-name.ts";

const folder = "^[^/].*$";
const branch = "^[A-Za-z0-9_][A-Za-z0-9_./+-]*$";

/** The schema of `holdfast.yaml` at the remote's root. Unknown fields are refused. */
export const settingsSchema = Type.Object(
  {
    clusters: Type.Record(
      Type.String({ pattern: clusterName }),
      Type.Object(
        {
          path: Type.String({
            pattern: folder,
            description:
              "The folder, from the repository's root, whose YAML declares this cluster; `.` for all.",
          }),
        },
        { additionalProperties: false },
      ),
      {
        additionalProperties: false,
        description: "The clusters that this repository declares, by name. The name is part of every record.",
      },
    ),
    record: Type.Optional(
      Type.Object(
        {
          branch: Type.Optional(
            Type.String({
              pattern: branch,
              description: "The branch that Holdfast writes. Default: holdfast-record.",
            }),
          ),
          folder: Type.Optional(
            Type.String({
              pattern: folder,
              description: "Instead of a branch of its own: the folder of the declaring branch to write to.",
            }),
          ),
        },
        {
          additionalProperties: false,
          description: "Where the record goes: a branch or a folder, not both.",
        },
      ),
    ),
    poll: Type.Optional(
      Type.String({
        description: "How often to look for new commits, as a Go duration (30s, 1m30s). Default: 1m.",
      }),
    ),
    policy: Type.Optional(
      Type.Object(
        {},
        { additionalProperties: false, description: "Reserved; takes no field in this version." },
      ),
    ),
  },
  {
    additionalProperties: false,
    description: "Settings of Holdfast for the repository that holds this file.",
  },
);
