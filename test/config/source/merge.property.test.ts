/** Algebraic laws of merging configurations. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { merge } from '../../../dist/config/source/merge.js';
import { parseConfig } from '../../../dist/config/load/load.js';
import { below } from '../../../dist/config/source/pointer.js';
import { Source } from '../../../dist/config/source/source.js';
import type { JsonObject, JsonValue } from '../../../dist/config/types.js';

/** A value as a source in which the mark of every part names the source. */
function source(name: string, value: JsonValue): Source {
  const marks = new Map<string, Source['marks'] extends ReadonlyMap<string, infer M> ? M : never>();
  const place = { file: name, line: 1, column: 1 };
  const mark = (at: string, part: JsonValue): void => {
    marks.set(at, { key: place, value: place, layer: { kind: 'file' } });
    if (typeof part !== 'object' || part === null) return;
    for (const [key, inner] of Object.entries(part)) mark(below(at, key), inner);
  };
  mark('', value);
  return new Source(value, marks);
}

const key = fc.constantFrom('a', 'b', 'c', 'plugin', 'type', '__proto__', 'x/y~z');
const scalar = fc.oneof(fc.integer(), fc.boolean(), fc.string({ maxLength: 3 }));
const list = fc.array(fc.oneof(scalar, fc.constant(null)), { maxLength: 3 });

/** Arbitrary mappings; `leaf` generates the values that are not mappings. */
const mappings = (leaf: fc.Arbitrary<JsonValue>): fc.Arbitrary<JsonObject> =>
  fc.letrec<{ node: JsonValue; map: Record<string, JsonValue> }>((tie) => ({
    node: fc.oneof({ maxDepth: 3 }, leaf, tie('map')),
    map: fc.array(fc.tuple(key, tie('node')), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
  })).map;

const anything = mappings(fc.oneof(scalar, list, fc.constant(null)));
const withoutNull = mappings(fc.oneof(scalar, list));
const over = (base: JsonValue, overlay: JsonValue): JsonValue =>
  merge(source('base', base), source('overlay', overlay)).value;

/** The value without everything that the overlay could remove. */
function stripped(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const kept = Object.entries(value).filter(([, part]) => part !== null);
  return Object.fromEntries(kept.map(([name, part]) => [name, stripped(part)]));
}

test('an empty overlay changes nothing', () => {
  fc.assert(fc.property(anything, (base) => expect(over(base, {})).toEqual(base)));
});

test('merging an overlay into an empty file gives the overlay without its nulls', () => {
  fc.assert(fc.property(anything, (overlay) => expect(over({}, overlay)).toEqual(stripped(overlay))));
});

test('merging an overlay twice is the same as merging it once', () => {
  fc.assert(
    fc.property(anything, anything, (base, overlay) => {
      const once = over(base, overlay);
      expect(over(once, overlay)).toEqual(once);
    }),
  );
});

test('merging is associative without nulls, if each key is a mapping in all layers or in none', () => {
  // Keys that begin with m are mappings.
  const shaped = fc.letrec<{ map: JsonObject }>((tie) => ({
    map: fc
      .tuple(
        fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.oneof(scalar, list), { maxKeys: 3 }),
        fc.option(fc.dictionary(fc.constantFrom('m', 'n'), tie('map'), { maxKeys: 2 }), {
          maxDepth: 3,
          depthIdentifier: 'm',
        }),
      )
      .map(([leaves, maps]) => ({ ...leaves, ...(maps ?? {}) })),
  })).map;
  fc.assert(
    fc.property(shaped, shaped, shaped, (a, b, c) => {
      expect(over(over(a, b), c)).toEqual(over(a, over(b, c)));
    }),
  );
});

test('every value has the location of the layer it came from, and there are no other locations', () => {
  fc.assert(
    fc.property(anything, withoutNull, (base, overlay) => {
      const merged = merge(source('base', base), source('overlay', overlay));
      const seen = new Set<string>();
      const visit = (
        at: string,
        value: JsonValue,
        under: JsonValue | undefined,
        upper: JsonValue | undefined,
      ): void => {
        seen.add(at);
        const bothMaps = isMap(under) && isMap(upper);
        const origin = upper === undefined || bothMaps ? 'base' : 'overlay';
        expect(merged.valuePosition(at).file).toBe(origin);
        if (typeof value !== 'object' || value === null) return;
        for (const [name, part] of Object.entries(value)) {
          visit(below(at, name), part, origin === 'base' ? own(under, name) : undefined, own(upper, name));
        }
      };
      visit('', merged.value, base, overlay);
      expect([...merged.marks.keys()].sort()).toEqual([...seen].sort());
    }),
  );
});

test('merging neither changes its inputs nor shares values with them', () => {
  fc.assert(
    fc.property(anything, anything, (base, overlay) => {
      const before = JSON.stringify([base, overlay]);
      const parts = new Set<unknown>();
      const collect = (value: unknown): void => {
        if (typeof value !== 'object' || value === null) return;
        parts.add(value);
        Object.values(value).forEach(collect);
      };
      collect(base);
      collect(overlay);
      const shared = (value: unknown): boolean =>
        typeof value === 'object' &&
        value !== null &&
        (parts.has(value) || Object.values(value).some(shared));
      expect(shared(over(base, overlay))).toBe(false);
      expect(JSON.stringify([base, overlay])).toBe(before);
    }),
  );
});

test('an endpoint has exactly one target after any overlay sets one', () => {
  const target = fc.constantFrom('plugin: p', 'response: {}', 'proxy: { target: "http://a" }');
  fc.assert(
    fc.property(target, target, (first, second) => {
      const text = `plugins: { p: { path: x } }
endpoints: { e: { path: /e, ${first} } }
environments: { a: { endpoints: { e: { ${second} } } } }`;
      const load = (environment?: string) =>
        parseConfig(text, { directory: '/', env: {}, environment }).config.endpoints[0]?.target.kind;
      const kinds = { plugin: 'plugin', response: 'static', proxy: 'proxy' };
      const kindOf = (written: string) => kinds[written.split(':')[0] as keyof typeof kinds];
      expect([load(), load('a')]).toEqual([kindOf(first), kindOf(second)]);
    }),
  );
});

const isMap = (value: JsonValue | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function own(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as JsonObject)[name]
    : undefined;
}
