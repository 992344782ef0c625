/** What became of one object of a dump; told once per object, as soon as it is sure. */
export type ObjectOutcome = {
  /** Group-resource, as the folder in the tree is called: `deployments.apps`. */
  readonly type: string;
  /** Where the object went; absent for a cluster-scoped one. */
  readonly namespace?: string;
  readonly name: string;
  /**
   * `same`: it exists and would not change. `conflict`: it exists with other content and stays as it is, because
   * existing objects are not to be overwritten. `skipped`: left out by the filter or by rule.
   */
  readonly did: "created" | "updated" | "same" | "skipped" | "conflict" | "failed";
  /** Why it was skipped, stayed or failed. */
  readonly reason?: string;
  /** What was changed on the way in: `new cluster IP`. */
  readonly notes?: readonly string[];
  /** What an update changed, or what one would change in a conflict. */
  readonly changes?: readonly FieldChange[];
};

export type FieldChange = {
  /** `.spec.replicas` */
  readonly path: string;
  /** Absent when the field was not there; both are absent where the value is not for showing. */
  readonly from?: unknown;
  /** Absent when the field goes. */
  readonly to?: unknown;
};
