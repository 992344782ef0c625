import { type FieldError, failure } from "../field-error.ts";
import type { Repository } from "../repository.ts";
import type { Relation, Rule } from "./rule.ts";
import { directoryErrors } from "./shared-rules.ts";

const path = ["spec", "path"];

const pathStaysInside: Rule<Repository> = {
  says: "spec.path names a directory below the storage's prefix, without the parts `.` and `..`.",
  check: ({ spec }) => (spec.path === undefined ? [] : directoryErrors(spec.path, path)),
};

export const repositoryRules = [pathStaysInside] as const;

export const repositoryPathIsFixed: Relation<[before: Repository, after: Repository]> = {
  says: "spec.path cannot be changed.",
  check: (before, after): readonly FieldError[] =>
    before.spec.path === after.spec.path
      ? []
      : [
          failure(
            "Immutable",
            path,
            "cannot be changed",
            "Declare another Repository for the other directory.",
          ),
        ],
};

export const repositoryRelations = [repositoryPathIsFixed] as const;
