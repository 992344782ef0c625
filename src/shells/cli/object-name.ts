import { usage } from "./usage.ts";

/** NAME or NAMESPACE/NAME, as the command line names an object of a kind. */
export function objectName(
  text: string,
  { kind, namespace }: { readonly kind: string; readonly namespace: string },
): { readonly namespace: string; readonly name: string } {
  const [first = "", second, ...more] = text.split("/");
  if (first === "" || second === "" || more.length > 0)
    throw usage(
      `${text} names no ${kind}`,
      "write NAME or NAMESPACE/NAME; holdfast status shows what there is",
    );
  return second === undefined ? { namespace, name: first } : { namespace: first, name: second };
}
