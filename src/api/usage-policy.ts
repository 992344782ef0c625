import { labelSelector, matchesSelector } from "./label-selector.ts";
import { choice, object, optional, type TypeOf } from "./schema.ts";

export type UsagePolicy = TypeOf<ReturnType<typeof usagePolicy>>;

/** Who may refer to an object from another namespace; `Same` when nothing is said. */
export function usagePolicy(description: string) {
  const allowedNamespaces = object(
    {
      from: optional(
        choice(
          ["All", "Selector", "Same"],
          "`All` namespaces, those that the selector matches, or the `Same` one only.",
          { default: "Same" },
        ),
      ),
      selector: optional(labelSelector("Labels of the Namespaces that may refer; for `Selector`.")),
    },
    "Namespaces whose objects may refer to this one.",
  );
  return object({ allowedNamespaces: optional(allowedNamespaces) }, description, {
    default: { allowedNamespaces: { from: "Same" } },
  });
}

/** Who refers: a namespace and the labels of its Namespace object. */
export type Referrer = {
  readonly namespace: string;
  readonly namespaceLabels: Readonly<Record<string, string>>;
};

/** Whether an object with this policy in `ownNamespace` may be used by the referrer. A policy without `from` refuses. */
export function usageAllowed(
  policy: UsagePolicy | undefined,
  ownNamespace: string,
  referrer: Referrer,
): boolean {
  const allowed = policy === undefined ? { from: "Same" as const } : policy.allowedNamespaces;
  switch (allowed?.from) {
    case "All":
      return true;
    case "Same":
      return ownNamespace === referrer.namespace;
    case "Selector":
      return allowed.selector !== undefined && matchesSelector(allowed.selector, referrer.namespaceLabels);
    case undefined:
      return false;
  }
}
