import { expect, test } from '@jest/globals';
import type { Block } from '../../../dist/authoring/reference/blocks.js';
import { htmlPage } from '../../../dist/authoring/reference/html.js';
import { markdownPage } from '../../../dist/authoring/reference/markdown.js';
import { settingsOf } from '../../../dist/authoring/reference/settings.js';

const HOSTILE = `</title><script>alert("x")</script> & '*_[a](javascript:b)|c\n# d \u001b[31m`;
const blocks: Block[] = [
  { kind: 'heading', level: 1, text: HOSTILE },
  { kind: 'paragraph', text: [HOSTILE, { code: 'a`b|c' }] },
  { kind: 'list', items: [[HOSTILE]] },
  { kind: 'table', head: ['Setting'], rows: [[[HOSTILE, { code: HOSTILE }]]] },
  { kind: 'code', language: 'json', text: '"```</code></pre><script>"' },
];

test('HTML contains texts of a plugin as text only, and forbids scripts', () => {
  const page = htmlPage(HOSTILE, blocks);
  const tags = [...page.matchAll(/<\/?([a-z0-9]+)/gi)].map(([, tag = '']) => tag);
  expect(tags.filter((tag) => /script|img|a$/i.test(tag) && tag !== 'meta')).toEqual([]);
  expect(page).toContain('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &#39;');
  expect(page).toContain(`content="default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;"`);
  expect(page).not.toContain('\u001b');
});

test('Markdown contains texts of a plugin as text only', () => {
  const page = markdownPage(blocks);
  const outside = page.split('````json')[0] ?? '';
  expect(outside.replace(/(`+)[^\n]*?\1/g, '')).not.toMatch(/<|(?<!\\)\*|(?<!\\)\[a/);
  expect(outside.split('\n').filter((line) => line.startsWith('#'))).toHaveLength(1);
  expect(page).toContain('``a`b\\|c``');
  // The fence is longer than any run of backticks inside.
  expect(page).toContain('````json\n"```</code></pre><script>"\n````');
  expect(page).not.toContain('\u001b');
});

test('settings are listed by path, through references, lists and free names', () => {
  const settings = settingsOf({
    definitions: { city: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } } },
    properties: {
      cities: { type: 'array', items: { $ref: '#/definitions/city' } },
      limits: { type: 'object', additionalProperties: { type: 'integer', minimum: 1, default: 5 } },
    },
  });
  expect(settings.map(({ name, required, preset }) => [name, required, preset])).toEqual([
    ['cities', false, null],
    ['cities[].name', true, null],
    ['limits', false, null],
    ['limits.NAME', false, '5'],
  ]);
  expect(settings.at(-1)?.value).toMatch(/^a whole number/);
});

test('a schema that refers to itself ends', () => {
  const settings = settingsOf({ properties: { child: { $ref: '#' } } });
  expect(settings.map(({ name }) => name)).toContain('child.child');
  expect(settings.length).toBeLessThan(10);
});
