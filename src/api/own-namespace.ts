/** The namespace that Holdfast keeps its notes in, unless it is told another one. */
export const defaultOwnNamespace = "holdfast";
