import type { JsonObject, JsonValue, ValidationConfig } from '../config/types.js';
import { RequestSchema, type Violation } from '../config/request-schema/request-schema.js';
import { BackworksError } from '../errors.js';
import { bodyLimits } from '../pipeline/documents/body-limits.js';
import { headerMap, joinedRawHeader } from '../pipeline/documents/header-map.js';
import type { BodyLimits } from '../pipeline/documents/incoming-request.js';
import { isJsonType, isPlainCoding } from '../pipeline/documents/media-type.js';
import { parseQuery } from '../pipeline/documents/query.js';
import { problem } from '../pipeline/problem.js';
import type { Awaitable, PluginResponse } from '../plugins/plugin.js';
import type { Rule, RuledRequest } from './rule.js';

/** The parts of a request that a schema can describe. */
type Part = 'params' | 'query' | 'headers' | 'body';

/** All mistakes are listed for parts up to this size; for longer ones only the first. */
const LISTED_BYTES_MAX = 8 * 1024;
/** Methods whose requests usually have no body. */
const BODILESS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'DELETE']);

/** Refuses requests that break the schemas of their endpoint, before any hook or plugin sees them. */
export class ValidationRule implements Rule {
  private readonly params: RequestSchema | null;
  private readonly query: RequestSchema | null;
  private readonly headers: RequestSchema | null;
  private readonly body: RequestSchema | null;

  /** @param limits the server's limits of bodies */
  constructor(
    config: ValidationConfig,
    private readonly limits: BodyLimits,
  ) {
    const prepared = (schema: JsonObject | null, isText: boolean): RequestSchema | null =>
      schema === null ? null : new RequestSchema(schema, isText);
    this.params = prepared(config.params, true);
    this.query = prepared(config.query, true);
    this.headers = prepared(config.headers, true);
    this.body = prepared(config.body, false);
  }

  /** @throws BackworksError of the body, which is read if it has a schema */
  admit(request: RuledRequest): Awaitable<PluginResponse | null> {
    const { match, search, rawHeaders } = request;
    const refusal =
      refused(request, 'params', this.params, () => ({ ...match.params })) ??
      refused(request, 'query', this.query, () => parseQuery(search)) ??
      refused(request, 'headers', this.headers, () => headerMap(rawHeaders));
    return refusal !== null || this.body === null ? refusal : this.admitBody(request, this.body);
  }

  private admitBody(request: RuledRequest, schema: RequestSchema): Awaitable<PluginResponse | null> {
    if (!request.hasBody) {
      if (BODILESS.has(request.method)) return null;
      return refusalOf(request, 'body', [{ pointer: '', message: 'is missing' }]);
    }
    checkMediaType(request.rawHeaders);
    const limits = bodyLimits(request, this.limits);
    return request.readBody(limits).then((bytes) => {
      const violations = checked(schema, parsed(bytes), bytes.length);
      return violations.length === 0 ? null : refusalOf(request, 'body', violations);
    });
  }
}

function refused(
  request: RuledRequest,
  part: Part,
  schema: RequestSchema | null,
  read: () => JsonValue,
): PluginResponse | null {
  if (schema === null) return null;
  // The head of a request has a limit of its own, so its parts are short.
  const violations = checked(schema, read(), 0);
  return violations.length === 0 ? null : refusalOf(request, part, violations);
}

function checked(schema: RequestSchema, value: JsonValue, length: number): readonly Violation[] {
  try {
    return schema.check(value, length <= LISTED_BYTES_MAX);
  } catch (error) {
    // A schema that refers to itself follows the body into its depth.
    if (error instanceof RangeError) return [{ pointer: '', message: 'is nested too deep' }];
    throw error;
  }
}

function refusalOf(request: RuledRequest, part: Part, violations: readonly Violation[]): PluginResponse {
  const places = violations.map(({ pointer, message }) => ({ in: part, pointer, message }));
  const { pointer, message } = violations[0]!;
  const what = `${part}${pointer === '' ? '' : ` ${pointer}`} ${message}`;
  return problem(new BackworksError('BW_REQUEST_SCHEMA', what), request.path, request.id, false, {
    errors: places,
  });
}

function checkMediaType(rawHeaders: readonly string[]): void {
  if (!isPlainCoding(joinedRawHeader(rawHeaders, 'content-encoding')))
    throw new BackworksError('BW_REQUEST_MEDIA_TYPE', 'the body has a content-encoding');
  if (!isJsonType(joinedRawHeader(rawHeaders, 'content-type')))
    throw new BackworksError('BW_REQUEST_MEDIA_TYPE', 'the endpoint accepts JSON only');
}

function parsed(bytes: Buffer): JsonValue {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)) as JsonValue;
  } catch (cause) {
    throw new BackworksError('BW_REQUEST_INVALID', 'the body is not valid JSON', { cause });
  }
}
