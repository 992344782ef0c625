import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { labelSelectorText, readLabelQuery } from "../../../src/api/label-query.ts";
import { matchesRequirement } from "../../../src/api/label-selector.ts";
import { isKubeError } from "../../../src/ports/kube/kube-error.ts";
import { configMap, configMaps, write } from "./fixtures.ts";
import { kubeServers, type Server } from "./servers.ts";

type Labels = Readonly<Record<string, string>>;

const labelled: readonly Labels[] = [
  {},
  { app: "web" },
  { app: "db", tier: "back" },
  { app: "", tier: "front" },
  { "example.com/app": "web", in: "notin" },
  { tier: "back", "example.com/app": "db" },
];

/** Names of what the server selects; undefined when it refuses the text. */
async function selected({ kube, namespace }: Server, text: string): Promise<readonly string[] | undefined> {
  const names: string[] = [];
  try {
    for await (const page of kube.list(configMaps, { namespace, labelSelector: text }))
      names.push(...page.items.map(({ metadata }) => metadata.name));
  } catch (thrown) {
    if (isKubeError(thrown, 400)) return undefined;
    throw thrown;
  }
  return names.filter((name) => name.startsWith("labelled-"));
}

function weSelect(text: string): readonly string[] | undefined {
  const read = readLabelQuery(text);
  if (!read.ok) return undefined;
  const matching = (labels: Labels) => read.value.every((one) => matchesRequirement(one, labels));
  return labelled.flatMap((labels, index) => (matching(labels) ? [`labelled-${index}`] : []));
}

const key = fc.constantFrom("app", "tier", "example.com/app", "in", "absent");
const value = fc.constantFrom("web", "db", "back", "", "notin");
const requirement = fc.oneof(
  fc.record({ key, operator: fc.constantFrom("Exists" as const, "DoesNotExist" as const) }),
  fc.record({
    key,
    operator: fc.constantFrom("In" as const, "NotIn" as const),
    values: fc.uniqueArray(value, { minLength: 1, maxLength: 3 }),
  }),
);
const queries = fc.sample(fc.array(requirement, { minLength: 1, maxLength: 3 }), { seed: 7, numRuns: 60 });

const written = [
  "app",
  "!app",
  "! app",
  "app=web",
  "app==web",
  "app = web",
  "app!=web",
  "app=",
  "app!=",
  "in",
  "in=notin",
  "app in (web,db)",
  "app in(web)",
  "app notin (web)",
  "app in ()",
  "app in (,web)",
  "in in (notin)",
  "app,tier",
  " app , tier=back ",
  "app in (db, web),!in",
  "example.com/app notin (web),tier",
];
const refusedByBoth = [
  "app in (web",
  "app=web)",
  "=web",
  "!",
  "app in web",
  "-app",
  "app=a b",
  "app in ((web))",
];

const onEveryServer = kubeServers();

onEveryServer("queries by label", (server) => {
  beforeAll(async () => {
    const { kube, namespace } = server();
    for (const [index, labels] of labelled.entries())
      await kube.create(configMaps, configMap(namespace, `labelled-${index}`, {}, { labels }), write);
  });

  it.each(written)("%j selects what we select", async (text) => {
    const ours = weSelect(text);
    expect(ours).toBeDefined();
    expect(await selected(server(), text)).toEqual(ours);
  });

  it.each(refusedByBoth)("%j is refused, as we refuse it", async (text) => {
    expect(weSelect(text)).toBeUndefined();
    expect(await selected(server(), text)).toBeUndefined();
  });

  it("what we send for a query selects what we select", async () => {
    for (const query of queries) {
      const text = labelSelectorText(query) ?? "";
      expect([text, await selected(server(), text)]).toEqual([text, weSelect(text)]);
    }
  });
});
