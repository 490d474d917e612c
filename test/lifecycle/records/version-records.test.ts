import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from '@jest/globals';
import { recordOf, sentence } from '../../../dist/lifecycle/entry/swap-record.js';
import { withRefused, withServing, VersionRecords } from '../../../dist/lifecycle/records/version-records.js';

let cache = '';
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'backworks-records-'));
});

const version = (digit: string): { digest: string; version: string } => ({
  digest: digit.repeat(64),
  version: `1.0.${digit}`,
});
const NOTHING = { versions: [], refused: [], history: [] };
const swapped = recordOf('swapped', version('1'), version('2'), { by: 'cli', reason: null });

test('a record is visible to later servers with the same configuration file only', async () => {
  const records = await VersionRecords.open('/srv/backworks.yaml', cache);
  const changed = await records.change('weather', (record) => withServing(record, version('1'), 3));
  const next = await VersionRecords.open('/srv/backworks.yaml', cache);
  expect(await next.read('weather')).toMatchObject(changed);
  expect(changed.versions).toMatchObject([version('1')]);
  expect(await next.read('another')).toEqual(NOTHING);
  const elsewhere = await VersionRecords.open('/srv/other.yaml', cache);
  expect(await elsewhere.read('weather')).toEqual(NOTHING);
  await elsewhere.change('weather', (record) => withServing(record, version('2'), 3));
  expect(await next.kept()).toEqual(new Set([version('1').digest, version('2').digest]));
});

test('concurrent changes do not overwrite each other', async () => {
  const records = await VersionRecords.open(null, cache);
  await Promise.all(
    Array.from({ length: 20 }, () =>
      records.change('weather', (record) => ({ ...record, history: [swapped, ...record.history] })),
    ),
  );
  expect((await records.read('weather')).history).toHaveLength(20);
  expect(readdirSync(join(cache, 'versions'))).toHaveLength(1);
});

test('a record keeps at most 100 swaps and 20 refused versions', async () => {
  const records = await VersionRecords.open(null, cache);
  const history = Array.from({ length: 1000 }, () => swapped);
  const many = Array.from({ length: 1000 }, (_, index) => ({
    digest: String(index).padStart(64, '0'),
    reason: 'crashed',
    since: '',
  }));
  await records.change('weather', (record) => ({ ...record, refused: many, history }));
  const kept = await records.read('weather');
  expect(kept.history).toHaveLength(100);
  expect(kept.refused).toHaveLength(20);
});

test('an unreadable record counts as empty and can be written again', async () => {
  const records = await VersionRecords.open(null, cache);
  await records.change('weather', (record) => withServing(record, version('1'), 3));
  const [name = ''] = readdirSync(join(cache, 'versions'));
  for (const broken of ['{', 'null', '[]', '{"versions":{},"refused":[],"history":[]}']) {
    writeFileSync(join(cache, 'versions', name), broken);
    expect(await records.read('weather')).toEqual(NOTHING);
  }
  await records.change('weather', (record) => withServing(record, version('2'), 3));
  expect(JSON.parse(readFileSync(join(cache, 'versions', name), 'utf8'))).toMatchObject({
    plugin: 'weather',
    config_file: null,
    versions: [version('2')],
  });
});

test('versions are kept newest first, once each, and at most as many as requested', () => {
  let record = withServing(NOTHING, version('1'), 2);
  record = withServing(record, version('2'), 2);
  record = withServing(record, version('1'), 2);
  expect(record.versions.map(({ version: name }) => name)).toEqual(['1.0.1', '1.0.2']);
  record = withServing(record, version('3'), 2);
  expect(record.versions.map(({ version: name }) => name)).toEqual(['1.0.3', '1.0.1']);
});

test('a version that was rolled back is refused until it serves again', () => {
  const record = withRefused(
    withRefused(NOTHING, version('1').digest, 'slow'),
    version('1').digest,
    'crashed',
  );
  expect(record.refused).toMatchObject([{ digest: version('1').digest, reason: 'crashed' }]);
  expect(withServing(record, version('1'), 3).refused).toEqual([]);
});

test('a record becomes a sentence for the log', () => {
  expect(sentence('weather', swapped)).toBe(
    'plugin weather was swapped from 1.0.1 (111111111111) to 1.0.2 (222222222222)',
  );
  const nothing = { digest: null, version: null };
  const rejected = recordOf(
    'rejected',
    nothing,
    { ...version('2'), version: null },
    { by: 'watch', reason: 'why' },
  );
  expect(sentence('weather', rejected)).toBe(
    'plugin weather was not swapped from nothing to 222222222222: why',
  );
});
