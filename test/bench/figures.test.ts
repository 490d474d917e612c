import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, expect, test } from '@jest/globals';

/** Evaluation and presentation of measurements. The measuring itself needs a quiet machine and is not tested. */
interface Spread {
  median: number;
  min: number;
  max: number;
  compared?: Spread;
}
interface Peer {
  name: string;
  missing?: string;
  rounds?: Record<string, number>[];
  summary?: Record<string, Spread>;
}
interface Metric {
  key: string;
  label?: string;
  unit?: string;
  compare?: { by: 'ratio' | 'difference'; to: string };
}
interface Point {
  x: number;
  peer: string;
  key: string;
}
interface Chart {
  name?: string;
  key?: string;
  title: string;
  unit: string;
  better: string;
  scale?: string;
  x?: { label: string; scale?: string };
  series?: { name: string; points: Point[] }[];
}
interface Result {
  name: string;
  quick: boolean;
  metrics: Metric[];
  charts: Chart[];
  slopes: { text: string; points: Point[]; figure: Spread | null }[];
  peers: Peer[];
}
interface Target {
  what: string;
  scenario: string;
  peer?: string;
  key?: string;
  by?: string;
  to?: string;
  slope?: number;
  beside?: string;
  atMost?: number;
  atLeast?: number;
  why: string;
}
interface Measure {
  alternate: (
    peers: { name: string; missing?: string; measure?: (() => unknown) | (() => unknown)[] }[],
    rounds: number,
  ) => Promise<Peer[]>;
  summarize: (peers: Peer[], metrics: Metric[]) => Peer[];
}
interface Statistics {
  percentile: (values: number[], share: number) => number;
}
interface Report {
  renderTable: (result: Result) => string;
  updateDocument: (path: string, result: Result) => void;
  renderTargets: (results: Result[], targets?: Target[]) => string;
  renderChart: (chart: Chart, peers: Peer[]) => string;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const load = (file: string): Promise<unknown> => import(pathToFileURL(join(root, 'bench', file)).href);
const { alternate, summarize } = (await load('measure.mjs')) as Measure;
const { percentile } = (await load('statistics.mjs')) as Statistics;
const { renderTable } = (await load('report/table.mjs')) as Report;
const { updateDocument } = (await load('report/document.mjs')) as Report;
const { renderTargets } = (await load('report/targets.mjs')) as Report;
const { renderChart } = (await load('report/chart.mjs')) as Report;
const { slopeOf } = (await load('slope.mjs')) as {
  slopeOf: (peers: Peer[], points: Point[]) => Spread | null;
};

const folder = mkdtempSync(join(tmpdir(), 'backworks-bench-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('every round measures every peer once, in a rotated or reversed order', async () => {
  const order: string[] = [];
  const peer = (name: string) => ({ name, measure: () => ({ nth: order.push(name) }) });
  const measured = await alternate([peer('a'), { name: 'b', missing: 'needs b' }, peer('c')], 3);
  expect(order).toEqual(['a', 'c', 'c', 'a', 'a', 'c']);
  expect(measured).toEqual([
    { name: 'a', rounds: [{ nth: 1 }, { nth: 4 }, { nth: 5 }] },
    { name: 'b', missing: 'needs b' },
    { name: 'c', rounds: [{ nth: 2 }, { nth: 3 }, { nth: 6 }] },
  ]);
});

test('a round measures one part of all peers after the other and merges the results of each peer', async () => {
  const order: string[] = [];
  const part = (name: string, key: string) => () => {
    order.push(name + key);
    return { [key]: order.length };
  };
  const peer = (name: string) => ({ name, measure: [part(name, 'x'), part(name, 'y')] });
  const measured = await alternate([peer('a'), peer('b')], 2);
  expect(order).toEqual(['ax', 'bx', 'ay', 'by', 'bx', 'ax', 'by', 'ay']);
  expect(measured[0]?.rounds).toEqual([
    { x: 1, y: 3 },
    { x: 6, y: 8 },
  ]);
});

test('a slope is computed within each round', () => {
  const peers = [
    { name: 'one', rounds: [{ us: 11 }, { us: 102 }] },
    { name: 'ten', rounds: [{ us: 20 }, { us: 120 }] },
    { name: 'not here', missing: 'needs go' },
  ];
  const points = [
    { x: 1, peer: 'one', key: 'us' },
    { x: 10, peer: 'ten', key: 'us' },
    { x: 20, peer: 'not here', key: 'us' },
  ];
  expect(slopeOf(peers, points)).toEqual({ median: 1.5, min: 1, max: 2 });
  expect(slopeOf(peers, points.slice(1))).toBeNull();
});

test('a target is judged by the median, and a missed target is listed with its reason', () => {
  const rounds = [{ us: 3 }, { us: 4 }, { us: 9 }];
  const summary = { us: { median: 4, min: 3, max: 9 } };
  const twice = { name: 'twice', rounds: [{ us: 6 }, { us: 8 }, { us: 18 }] };
  const result = {
    name: 's',
    slopes: [{ text: '', points: [], figure: summary.us }],
    peers: [{ name: 'p', rounds, summary }, twice],
  } as unknown as Result;
  const target = (what: string, more: Partial<Target>): Target => ({
    what,
    scenario: 's',
    peer: 'p',
    key: 'us',
    why: `because of ${what}.`,
    ...more,
  });
  const text = renderTargets(
    [result],
    [
      target('A', { atMost: 4 }),
      target('B', { atMost: 3.9, beside: 'twice' }),
      target('C', { peer: 'twice', by: 'ratio', to: 'p', atLeast: 2 }),
      target('D', { slope: 0, atMost: 1 }),
      target('E', { peer: 'nobody', atMost: 1 }),
    ],
  );
  const rows = text.split('\n').filter((line) => /^\| [A-E] /.test(line));
  expect(rows).toEqual([
    '| A | ≤ 4 | **4** (3–9) | yes |',
    '| B | ≤ 3.9 | **4** (3–9) | **no** |',
    '| C | ≥ 2 | **2** (2–2) | yes |',
    '| D | ≤ 1 | **4** (3–9) | **no** |',
    '| E | ≤ 1 | not measured | – |',
  ]);
  expect(text.split('\n').filter((line) => line.startsWith('- '))).toEqual([
    '- *B*: because of B. ÷ twice: **0.5** (0.5–0.5).',
    '- *D*: because of D.',
  ]);
});

test('a chart has a bar for each measured peer or a line for each series', () => {
  const peer = (name: string, median: number) => ({ name, summary: { us: { median, min: 1, max: 30 } } });
  const peers = [peer('Backworks <1>', 2), peer('ten', 20), { name: 'not here', missing: 'needs go' }];
  const chart = { title: 'Time', unit: 'µs', better: 'less' };
  const bars = renderChart({ ...chart, key: 'us', scale: 'log' }, peers);
  expect(bars.match(/<rect class="(own|bar)"/g)).toEqual(['<rect class="own"', '<rect class="bar"']);
  expect(bars).toContain('Backworks &#60;1&#62;');
  const points = [
    { x: 1, peer: 'Backworks <1>', key: 'us' },
    { x: 10, peer: 'ten', key: 'us' },
    { x: 100, peer: 'not here', key: 'us' },
  ];
  const lines = renderChart(
    { ...chart, x: { label: 'plugins', scale: 'log' }, series: [{ name: 's', points }] },
    peers,
  );
  expect(/points="([^"]*)"/.exec(lines)?.[1]?.split(' ')).toHaveLength(2);
  expect(lines).not.toContain('NaN');
});

test('a ratio is computed within each round, so a slow round does not change the ratio', () => {
  const peers = [
    { name: 'base', rounds: [{ us: 10 }, { us: 100 }, { us: 20 }] },
    { name: 'other', rounds: [{ us: 20 }, { us: 200 }, { us: 40 }] },
  ];
  const [base, other] = summarize(peers, [{ key: 'us', compare: { by: 'ratio', to: 'base' } }]);
  expect(base?.summary).toEqual({ us: { median: 20, min: 10, max: 100 } });
  expect(other?.summary?.us?.compared).toEqual({ median: 2, min: 2, max: 2 });
});

test('no peer is compared with a peer that could not be measured', () => {
  const peers = [
    { name: 'base', missing: 'needs go' },
    { name: 'other', rounds: [{ us: 20 }] },
  ];
  const summarized = summarize(peers, [{ key: 'us', compare: { by: 'difference', to: 'base' } }]);
  expect(summarized[0]).toEqual(peers[0]);
  expect(summarized[1]?.summary).toEqual({ us: { median: 20, min: 20, max: 20 } });
});

test('percentiles are measured values', () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect([0, 0.5, 0.99, 1].map((share) => percentile(values, share))).toEqual([1, 50, 99, 100]);
});

const results = readdirSync(join(root, 'bench/results'))
  .filter((file) => file.endsWith('.json'))
  .map((file) => JSON.parse(readFileSync(join(root, 'bench/results', file), 'utf8')) as Result);

test.each(results.map((result) => ({ scenario: result.name, result })))(
  'docs/performance.md shows the figures of bench/results/$scenario.json',
  ({ scenario, result }) => {
    const document = join(folder, `${scenario}.md`);
    const committed = readFileSync(join(root, 'docs/performance.md'), 'utf8');
    writeFileSync(document, committed);
    updateDocument(document, result);
    expect(result.quick).toBe(false);
    expect(committed).toContain(renderTable(result));
    expect(readFileSync(document, 'utf8')).toBe(committed);
  },
);

test('docs/performance.md compares the targets with the results', () => {
  expect(readFileSync(join(root, 'docs/performance.md'), 'utf8')).toContain(renderTargets(results));
});

test.each(results.flatMap(({ name, charts, peers }) => charts.map((chart) => ({ name, chart, peers }))))(
  'the chart "$chart.title" matches bench/results/$name.json and is in docs/performance.md',
  ({ name, chart, peers }) => {
    const file = `${name}${chart.name === undefined ? '' : `-${chart.name}`}.svg`;
    expect(readFileSync(join(root, 'bench/results', file), 'utf8')).toBe(renderChart(chart, peers));
    const document = readFileSync(join(root, 'docs/performance.md'), 'utf8');
    expect(document).toContain(`](../bench/results/${file})`);
  },
);

test.each(results.map((result) => ({ scenario: result.name, result })))(
  'the summary in bench/results/$scenario.json matches its rounds',
  ({ result }) => {
    const again = summarize(result.peers, result.metrics);
    for (const [index, { summary, rounds }] of result.peers.entries()) {
      if (rounds === undefined) continue;
      for (const [key, { median }] of Object.entries(summary ?? {})) {
        expect(again[index]?.summary?.[key]?.median).toBeCloseTo(median, 1);
      }
    }
    for (const { points, figure } of result.slopes) {
      // Rounds are written with six digits, and a slope is computed from their differences.
      expect(slopeOf(result.peers, points)?.median).toBeCloseTo(figure?.median ?? NaN, 0);
    }
  },
);
