import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, expect, test } from '@jest/globals';

/** What the benchmark does with its measurements; the measuring itself needs a quiet machine. */
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
interface Result {
  name: string;
  quick: boolean;
  metrics: Metric[];
  peers: Peer[];
}
interface Measure {
  alternate: (
    peers: { name: string; missing?: string; measure?: () => unknown }[],
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
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const load = (file: string): Promise<unknown> => import(pathToFileURL(join(root, 'bench', file)).href);
const { alternate, summarize } = (await load('measure.mjs')) as Measure;
const { percentile } = (await load('statistics.mjs')) as Statistics;
const { renderTable } = (await load('report/table.mjs')) as Report;
const { updateDocument } = (await load('report/document.mjs')) as Report;

const folder = mkdtempSync(join(tmpdir(), 'backworks-bench-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('every round measures every peer once, beginning with another one each time', async () => {
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

test('a ratio is taken within each round, so that a slow round does not change it', () => {
  const peers = [
    { name: 'base', rounds: [{ us: 10 }, { us: 100 }, { us: 20 }] },
    { name: 'other', rounds: [{ us: 20 }, { us: 200 }, { us: 40 }] },
  ];
  const [base, other] = summarize(peers, [{ key: 'us', compare: { by: 'ratio', to: 'base' } }]);
  expect(base?.summary).toEqual({ us: { median: 20, min: 10, max: 100 } });
  expect(other?.summary?.us?.compared).toEqual({ median: 2, min: 2, max: 2 });
});

test('nothing is compared with a peer that could not be measured', () => {
  const peers = [
    { name: 'base', missing: 'needs go' },
    { name: 'other', rounds: [{ us: 20 }] },
  ];
  const summarized = summarize(peers, [{ key: 'us', compare: { by: 'difference', to: 'base' } }]);
  expect(summarized[0]).toEqual(peers[0]);
  expect(summarized[1]?.summary).toEqual({ us: { median: 20, min: 20, max: 20 } });
});

test('percentiles are values that were measured', () => {
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

test.each(results.map((result) => ({ scenario: result.name, result })))(
  'bench/results/$scenario.json is summed up from its own rounds',
  ({ result }) => {
    const again = summarize(result.peers, result.metrics);
    for (const [index, { summary, rounds }] of result.peers.entries()) {
      if (rounds === undefined) continue;
      for (const [key, { median }] of Object.entries(summary ?? {})) {
        expect(again[index]?.summary?.[key]?.median).toBeCloseTo(median, 1);
      }
    }
  },
);
