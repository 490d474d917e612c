import { schemaFault } from '../request-schema/request-schema.js';
import type { JsonObject } from '../types.js';
import type { CheckedFile } from '../schema/checked-file.js';
import { below, type Pointer } from '../source/pointer.js';
import { originFault } from '../source/origin-pattern.js';
import type { RawCors, RawHeaderRules, RawRateLimit } from '../schema/raw.js';

/** Headers that frame a message or belong to the connection. Only the server writes them. */
const FRAMING = /^(connection|content-length|keep-alive|te|trailer|transfer-encoding|upgrade)$/i;
/** The server sets these last. */
const OWN = { request: /^host$/i, response: /^x-request-id$/i };

/** Reports rules of the server or of an endpoint that cannot be followed. @param at the block that contains the rules */
export function ruleContradictions(
  file: CheckedFile,
  at: Pointer,
  { headers, cors, rate_limit: limit }: RawRules,
): void {
  if (headers !== undefined) checkHeaders(file, below(at, 'headers'), headers);
  if (cors !== undefined) checkCors(file, below(at, 'cors'), cors);
  if (limit?.store !== 'redis' || file.isInvalid('/server') || file.raw.server.redis !== undefined) return;
  const place = below(below(at, 'rate_limit'), 'store');
  file.reject(place, {
    message: 'there is no server.redis',
    hint: 'set server.redis.url, or use store: memory',
  });
}

function checkCors(file: CheckedFile, at: Pointer, { origins, credentials }: RawCors): void {
  for (const [index, origin] of origins.entries()) {
    const pointer = below(below(at, 'origins'), index);
    const fault = originFault(origin);
    if (fault !== undefined)
      file.reject(pointer, { expected: fault.expected, found: file.show(pointer, origin), hint: fault.hint });
    else if (origin === '*' && credentials) {
      const message = 'with credentials, * would let every page act for its visitor';
      file.reject(pointer, { message, hint: 'list the origins' });
    }
  }
}

/** Reports schemas of an endpoint that cannot be used. @param at the block `validate` */
export function schemaContradictions(file: CheckedFile, at: Pointer, schemas: object): void {
  for (const [part, schema] of Object.entries(schemas) as [string, JsonObject][]) {
    const fault = schemaFault(schema);
    if (fault !== null) file.reject(below(at, part), { message: `the schema cannot be used: ${fault}` });
  }
}

interface RawRules {
  readonly headers?: RawHeaderRules;
  readonly cors?: RawCors;
  readonly rate_limit?: RawRateLimit;
}

function checkHeaders(file: CheckedFile, at: Pointer, rules: RawHeaderRules): void {
  for (const side of ['request', 'response'] as const) {
    const { remove = [], set = {}, add = {} } = rules[side] ?? {};
    const pointer = below(at, side);
    const named: (readonly [Pointer, string])[] = [
      ...remove.map((name, index) => [below(below(pointer, 'remove'), index), name] as const),
      ...Object.keys(set).map((name) => [below(below(pointer, 'set'), name), name] as const),
      ...Object.keys(add).map((name) => [below(below(pointer, 'add'), name), name] as const),
    ];
    for (const [place, name] of named) {
      if (!FRAMING.test(name) && !OWN[side].test(name)) continue;
      file.reject(place, {
        message: `only the server writes the header ${name.toLowerCase()}`,
        hint: 'remove it',
      });
    }
  }
}
