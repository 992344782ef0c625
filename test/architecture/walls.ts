/**
 * Who may import whom: the one table from which the lint rules, the test and ARCHITECTURE.md are made.
 * A room is a folder of `src/`; the longest matching room owns a file. `types` may be imported with
 * `import type` only.
 */
export type Wall = {
  readonly room: string;
  readonly imports: readonly string[];
  readonly types?: readonly string[];
  /** Pure rooms reach no I/O, no clock and no environment. */
  readonly pure?: true;
  readonly because: string;
};

const nouns = ["api", "base"];

export const walls: readonly Wall[] = [
  { room: "base", imports: [], because: "base knows no Kubernetes, Git or restic word" },
  { room: "api", imports: ["base"], pure: true, because: "the nouns stand below everything and do no I/O" },
  { room: "ports/git", imports: nouns, because: "a port never imports another port" },
  { room: "ports/kube", imports: nouns, because: "a port never imports another port" },
  { room: "ports/objects", imports: nouns, because: "a port never imports another port" },
  { room: "ports/restic", imports: nouns, because: "a port never imports another port" },
  {
    room: "pass/declared",
    imports: [...nouns, "ports/git"],
    because: "declared reads Git and nothing else; stages never call each other",
  },
  {
    room: "pass/desired",
    imports: nouns,
    types: ["pass/declared"],
    pure: true,
    because: "what a declaration means is a pure function of it",
  },
  {
    room: "pass/observed",
    imports: [...nouns, "ports/kube"],
    because: "observed reads the cluster and nothing else; stages never call each other",
  },
  {
    room: "pass/plan",
    imports: nouns,
    types: ["pass/desired", "pass/observed", "pass/record"],
    pure: true,
    because: "the operator is a pure function of desired, observed, record and now",
  },
  {
    room: "pass/act",
    imports: [...nouns, "ports/kube", "ports/objects", "mover/storage"],
    types: ["pass/plan", "pass/observed"],
    because: "act carries out a plan and decides nothing",
  },
  {
    room: "pass/record",
    imports: [...nouns, "ports/git"],
    types: ["pass/plan", "pass/observed"],
    because: "the record is written to Git and to nothing else",
  },
  {
    room: "pass",
    imports: [
      ...nouns,
      "pass/declared",
      "pass/desired",
      "pass/observed",
      "pass/plan",
      "pass/act",
      "pass/record",
    ],
    types: ["ports/git", "ports/kube", "ports/objects"],
    because: "only reconcile.ts composes the stages",
  },
  {
    room: "mover",
    imports: [...nouns, "ports/kube", "ports/objects", "ports/restic", "mover"],
    because: "a Job ships without the controller",
  },
  {
    room: "mover/storage",
    imports: [...nouns, "ports/kube", "ports/objects"],
    because: "what a backend holds beside restic's data is written the same way by the operator and by a Job",
  },
  { room: "embedded", imports: nouns, because: "the embedded server never sees the client that talks to it" },
  {
    room: "shells",
    imports: [...nouns, "pass", "pass/declared", "ports", "mover", "embedded", "shells"],
    types: ["pass/desired", "pass/observed", "pass/plan", "pass/act", "pass/record"],
    because: "shells parse, call a pass and render",
  },
];

/** Libraries that belong to one trade: nobody else reaches around the port that holds them. */
export type Owned = { readonly library: string; readonly rooms: readonly string[] };

export const ownedLibraries: readonly Owned[] = [
  { library: "isomorphic-git", rooms: ["ports/git"] },
  { library: "@kubernetes/client-node", rooms: ["ports/kube"] },
  { library: "@aws-sdk", rooms: ["ports/objects"] },
  { library: "undici", rooms: ["ports/git", "ports/kube", "ports/objects"] },
  { library: "node-cron", rooms: ["embedded"] },
  { library: "croner", rooms: ["api", "pass/plan", "embedded"] },
  { library: "commander", rooms: ["shells"] },
];
