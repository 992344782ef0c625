export type Wanted = {
  /** Only of a commit that this cluster wrote. */
  readonly cluster: string | undefined;
  /** Only what happened in this namespace. */
  readonly namespace: string | undefined;
};

/**
 * What a commit of the record tells: its subject; of one namespace, each line of its list that names an object
 * there. Nothing of what is not wanted.
 */
export function toldBy(message: string, { cluster, namespace }: Wanted): readonly string[] {
  const [subject = "", ...body] = message.split("\n");
  if (cluster !== undefined && !body.includes(`Holdfast-Cluster: ${cluster}`)) return [];
  if (namespace === undefined) return [subject];
  const listed = body.filter((line) => line.startsWith("- ")).map((line) => line.slice(2));
  const told = listed.length > 0 ? listed : [subject];
  return told.filter((line) => line.split(" ", 2)[1]?.startsWith(`${namespace}/`));
}
