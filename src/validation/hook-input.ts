import { isUtf8 } from 'node:buffer';
import type { Routes } from '../http/routes.js';
import type { LoadedPlugin } from '../plugins/loaded-plugin.js';
import type { PipelineHook } from '../plugins/metadata.js';
import {
  type Caller,
  type HeaderMap,
  isDenial,
  type JsonMembers,
  type PluginResponse,
} from '../plugins/plugin.js';
import { type HookArguments, hookArguments } from '../profiling/documents.js';
import type { RecordedRequest } from '../profiling/recorded-request.js';
import type { CheckInput } from './report.js';
import { shorterTexts, simplerBodies } from './simpler.js';
import type { TargetAnswer, TargetInput } from './target.js';

/** A request, and for after_response the response to it, before the server makes documents of them. */
export interface Exchanged {
  readonly request: RecordedRequest;
  readonly response: SampleResponse;
}

export interface SampleResponse {
  readonly status: number;
  readonly headers: HeaderMap;
  readonly body: Buffer | string | null;
}

/** Part of every numbered request: its path, its query and a header. */
const NUMBER_HEADER = 'x-request-number';

/**
 * The arguments of a hook. The server's own code makes the document, so a plugin never gets one that a server would
 * not send.
 */
export class HookInput implements TargetInput {
  private constructor(
    private readonly hook: PipelineHook,
    private readonly exchanged: Exchanged,
    private readonly routes: Routes,
    private readonly given: HookArguments,
  ) {}

  /** @returns null when the server refuses the request before any hook */
  static of(hook: PipelineHook, exchanged: Exchanged, routes: Routes): HookInput | null {
    try {
      const given = argumentsOf(hook, exchanged, routes);
      given.document.toJson();
      return new HookInput(hook, exchanged, routes, given);
    } catch {
      return null;
    }
  }

  async ask(plugin: LoadedPlugin, caller: Caller): Promise<TargetAnswer> {
    // A patch changes the document, so every call gets a new one.
    const { document, route, method } = argumentsOf(this.hook, this.exchanged, this.routes);
    const json = document.toJson();
    if (this.hook === 'process_endpoint') {
      const response = await plugin.processEndpoint(route, method, json, caller);
      return { text: response && responseText(response), denied: null };
    }
    if (this.hook === 'after_response') {
      const patch = await plugin.afterResponse(json, caller, document);
      return { text: patch && patchText(patch), denied: null };
    }
    const decision = await plugin.beforeRequest(json, caller, document);
    if (decision?.kind !== 'respond') return { text: decision && patchText(decision.patch), denied: null };
    const { response } = decision;
    return { text: responseText(response), denied: isDenial(decision) ? response.status : null };
  }

  describe(alone: boolean): CheckInput {
    const { request, response } = this.exchanged;
    const isResponse = this.hook === 'after_response';
    const body = bytesOf(isResponse ? response.body : request.body);
    const headers = isResponse
      ? Object.entries(response.headers).flatMap(([name, values]) =>
          [values].flat().map((value) => [name, value] as const),
        )
      : request.headers;
    const call = [
      this.hook,
      ...['--method', request.method, '--path', request.target],
      ...(isResponse ? ['--status', String(response.status)] : []),
      ...headers.flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
      ...(body === null ? [] : ['--data', '@input.body']),
    ];
    return { function: this.hook, document: this.given.document.toJson().toString(), call, body, alone };
  }

  numbered(number: number): HookInput {
    const { request } = this.exchanged;
    const separator = request.target.includes('?') ? '&' : '?';
    const numbered: RecordedRequest = {
      ...request,
      target: `${request.target}${separator}number=${number}`,
      headers: [...request.headers, [NUMBER_HEADER, String(number)]],
    };
    return this.with({ request: numbered }) ?? this;
  }

  *simpler(): Iterable<HookInput | null> {
    const { request, response } = this.exchanged;
    if (this.hook === 'after_response') {
      yield this.with({ request: { ...request, method: 'GET', target: '/', headers: [], body: null } });
      for (const name of Object.keys(response.headers)) {
        const headers = Object.fromEntries(
          Object.entries(response.headers).filter(([other]) => other !== name),
        );
        yield this.with({ response: { ...response, headers } });
      }
      if (response.status !== 200) yield this.with({ response: { ...response, status: 200 } });
      for (const body of simplerBodies(bytesOf(response.body)))
        yield this.with({ response: { ...response, body } });
      return;
    }
    yield* this.simplerRequests();
  }

  private *simplerRequests(): Iterable<HookInput | null> {
    const { request } = this.exchanged;
    const { headers, target, body } = request;
    if (body !== null && request.method !== 'GET')
      yield this.with({ request: { ...request, method: 'GET', body: null } });
    for (const shorter of simplerBodies(bytesOf(body)))
      yield this.with({ request: { ...request, body: shorter } });
    const own = (header: readonly [string, string]): boolean => header[0] === 'content-type';
    if (headers.length > 1) yield this.with({ request: { ...request, headers: headers.filter(own) } });
    for (const header of headers)
      yield this.with({ request: { ...request, headers: headers.filter((other) => other !== header) } });
    const [path = '/', query] = target.split('?', 2);
    if (query !== undefined) yield this.with({ request: { ...request, target: path } });
    if (target !== '/') yield this.with({ request: { ...request, target: '/' } });
    for (const shorter of shorterTexts(path.slice(1)))
      yield this.with({ request: { ...request, target: `/${shorter}` } });
    for (const shorter of shorterTexts(query ?? ''))
      yield this.with({ request: { ...request, target: `${path}?${shorter}` } });
    for (const header of headers) {
      for (const value of shorterTexts(header[1])) {
        const changed = headers.map((other) => (other === header ? ([other[0], value] as const) : other));
        yield this.with({ request: { ...request, headers: changed } });
      }
    }
  }

  private with(changed: Partial<Exchanged>): HookInput | null {
    return HookInput.of(this.hook, { ...this.exchanged, ...changed }, this.routes);
  }
}

function argumentsOf(hook: PipelineHook, { request, response }: Exchanged, routes: Routes): HookArguments {
  return hookArguments(hook, request, routes, response);
}

function bytesOf(body: Buffer | string | null): Buffer | null {
  return typeof body === 'string' ? Buffer.from(body) : body;
}

function patchText({ outline }: JsonMembers): string {
  return outline.bytes.toString();
}

function responseText({ status, headers, body }: PluginResponse): string {
  const text = Buffer.isBuffer(body) ? (isUtf8(body) ? body.toString() : body.toString('base64')) : body;
  return JSON.stringify([status, headers, typeof text === 'string' ? text : null]);
}
