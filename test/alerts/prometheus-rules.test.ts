import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { Cluster } from '../cluster/cluster.js';
import { ownCache } from '../fixtures/cache.js';
import { compilePlugin } from '../fixtures/compile.js';
import { eventually, startServer } from '../fixtures/server.js';

/** Compares docs/prometheus-alerts.yaml with the metrics of a real server and with docs/alerts.md. */
const read = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../docs/${name}`, import.meta.url)), 'utf8');
ownCache();

interface Rule {
  alert: string;
  expr: string;
  for?: string;
  labels: { severity: string };
  annotations: { summary: string; description: string };
}

const { groups } = parse(read('prometheus-alerts.yaml')) as { groups: { name: string; rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);

/** `metric{label="value"}` and `metric[5m]`, without the keywords of PromQL. */
const KEYWORDS = ['sum', 'by', 'rate', 'increase', 'and', 'on'];
/** Metrics and labels that Prometheus itself adds to every scrape. */
const SCRAPE = { metric: 'up', labels: ['job', 'instance'] };

interface Selector {
  readonly metric: string;
  readonly matchers: readonly { label: string; values: string[] }[];
}

function selectors({ expr }: Rule): Selector[] {
  const text = expr.replace(/\b(by|on) \([^)]*\)/g, ' ').replace(/\[\w+\]/g, ' ');
  return [...text.matchAll(/\b([a-z_]\w*)(?:\{([^}]*)\})?/g)]
    .filter(([, name = '']) => !KEYWORDS.includes(name))
    .map(([, metric = '', inside = '']) => ({
      metric,
      matchers: [...inside.matchAll(/(\w+)=~?"([^"]*)"/g)].map(([, label = '', values = '']) => ({
        label,
        values: values.split('|'),
      })),
    }));
}

/** Metric → label → values, from a server whose plugin answered and crashed and from a server with workers. */
const samples = new Map<string, Map<string, Set<string>>>();

beforeAll(async () => {
  const server = await startServer(
    `
endpoints: { ok: { path: /ok, plugin: operated }, crash: { path: /crash, plugin: operated } }
plugins: { operated: { path: ${compilePlugin('operated')} } }`,
    { admin: 'token: t' },
  );
  await server.get('/ok');
  await server.get('/crash');
  await eventually(() => server.plugin('operated').state === 'ready', 'recovery');
  const response = await fetch(`${server.adminUrl}/metrics`, { headers: { authorization: 'Bearer t' } });
  const cluster = await Cluster.launch('server: { port: 0, workers: 2 }\nadmin: { port: 0, token: t }\n');
  const text = `${await response.text()}\n${(await cluster.admin('/metrics')).text}`;
  await cluster.stop();
  for (const [, metric = '', inside = ''] of text.matchAll(/^([a-z]\w*)(?:\{(.*?)\})? /gm)) {
    const labels = samples.get(metric) ?? new Map<string, Set<string>>();
    samples.set(metric, labels);
    for (const [, label = '', value = ''] of inside.matchAll(/(\w+)="([^"]*)"/g)) {
      labels.set(label, (labels.get(label) ?? new Set()).add(value));
    }
  }
  await server.backworks.stop();
});

test('every rule has a unique name', () => {
  const names = rules.map(({ alert }) => alert);
  expect(names.length).toBeGreaterThan(5);
  expect(new Set(names).size).toBe(names.length);
});

describe.each(rules)('$alert', (rule) => {
  test('uses only metrics, labels and values that the server has', () => {
    const found = selectors(rule);
    expect(found.length).toBeGreaterThan(0);
    for (const { metric, matchers } of found) {
      if (metric === SCRAPE.metric) continue;
      const labels = samples.get(metric);
      expect([metric, labels !== undefined]).toEqual([metric, true]);
      for (const { label, values } of matchers.filter((matcher) => !SCRAPE.labels.includes(matcher.label))) {
        const known = [...(labels?.get(label) ?? [])];
        expect([metric, label, known]).toEqual([metric, label, expect.arrayContaining(values)]);
      }
    }
  });

  test('has a severity, a summary and a description that name existing labels', () => {
    expect(['warning', 'critical']).toContain(rule.labels.severity);
    const { summary, description } = rule.annotations;
    expect(summary).toMatch(/\S/);
    expect(description).toMatch(/\.$|: backworks plugin status|status \{\{|…$/);
    const named = [...`${summary} ${description}`.matchAll(/\$labels\.(\w+)/g)].map(
      ([, label = '']) => label,
    );
    const [first] = selectors(rule);
    const labels = [...(samples.get(first?.metric ?? '')?.keys() ?? []), ...SCRAPE.labels];
    for (const label of named) expect(labels).toContain(label);
  });
});

test('docs/alerts.md lists these rules', () => {
  const [, section = ''] = read('alerts.md').split('## Prometheus');
  const listed = [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  expect(listed).toEqual(rules.map(({ alert }) => alert));
});
