import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../dist/config/types.js';
import { PluginFailure } from '../../dist/errors.js';
import type { Log } from '../../dist/log.js';
import { PluginOrchestrator } from '../../dist/pipeline/orchestrator.js';
import type { BackworksPlugin, PluginResponse, HookBatch } from '../../dist/plugins/plugin.js';
import { endpoint, sampleRequest, staticEndpoint } from './documents/sample-request.js';
import { type Hooks, type PluginTraits, scriptPlugin, tracer } from './script-plugin.js';
import { proxyTarget } from '../proxy/proxy-config.js';

interface LogLine {
  level: keyof Log;
  fields: object;
  message: string;
}

function orchestratorOf(...plugins: BackworksPlugin[]) {
  const lines: LogLine[] = [];
  const writer = (level: keyof Log) => (fields: object, message: string) =>
    void lines.push({ level, fields, message });
  const log: Log = {
    debug: writer('debug'),
    info: writer('info'),
    warn: writer('warn'),
    error: writer('error'),
  };
  const orchestrator = new PluginOrchestrator({
    bodyLimitBytes: 1000,
    bodyTimeoutMs: 30_000,
    offersUnmatched: () => true,
    log,
  });
  void orchestrator.setPlugins(plugins);
  return { orchestrator, lines };
}

function json({ body }: PluginResponse): JsonObject {
  return JSON.parse(body as string) as JsonObject;
}

function text(body: string): PluginResponse {
  return { status: 200, headers: {}, body };
}

function crash(plugin: string): never {
  throw new PluginFailure('BW_PLUGIN_CRASHED', `plugin ${plugin} crashed`, {
    plugin,
    phase: 'before_request',
  });
}

const hello = staticEndpoint('/hello', 'hello');
const named = (plugin: string) => endpoint('/named', { kind: 'plugin', plugin });
const anyPlugin = endpoint('/any/{x}', { kind: 'any-plugin' });

test('before_request hooks run by priority, and after_response hooks in reverse', async () => {
  const echo = scriptPlugin('echo', {
    processEndpoint: async (_route, _method, request) => text(request.toString()),
  });
  const { orchestrator } = orchestratorOf(
    tracer('late', { priority: 300 }),
    tracer('first', { priority: 1 }),
    tracer('mid'),
    echo,
  );

  const response = await orchestrator.handle(sampleRequest({ endpoint: anyPlugin }));

  expect(json(response).context).toEqual({ trail: 'first mid late' });
  expect(response.headers['x-trail']).toBe('late mid first');
});

test('an answer in before_request skips later plugins; only plugins before it see the response', async () => {
  const gate = scriptPlugin(
    'gate',
    {
      beforeRequest: async () => ({ kind: 'respond', response: { status: 401, headers: {}, body: 'no' } }),
      afterResponse: async () => ({ headers: { 'x-gate': 'saw its own answer' } }),
    },
    { priority: 50 },
  );
  const watcher = scriptPlugin(
    'watcher',
    { afterResponse: async () => ({ headers: { 'x-watcher': 'yes' } }) },
    { priority: 20 },
  );
  const { orchestrator } = orchestratorOf(tracer('outer', { priority: 10 }), watcher, gate, tracer('inner'));

  const response = await orchestrator.handle(sampleRequest({ endpoint: named('nobody') }));

  expect(response).toEqual({ status: 401, headers: { 'x-watcher': 'yes', 'x-trail': 'outer' }, body: 'no' });
});

test('after_response sees the context and the request as the plugins left them', async () => {
  let seen: JsonObject = {};
  const patcher = scriptPlugin('patcher', {
    beforeRequest: async () => ({
      kind: 'patch',
      patch: { path: '/moved', method: 'PUT', context: { user: 7 } },
    }),
    afterResponse: async (response) => {
      seen = JSON.parse(response.toString()) as JsonObject;
      return null;
    },
  });
  const { orchestrator } = orchestratorOf(patcher);

  await orchestrator.handle(sampleRequest({ path: '/hello', endpoint: hello }));

  expect(seen).toMatchObject({
    status: 200,
    body: 'hello',
    context: { user: 7 },
    request: { id: 'request-1', method: 'PUT', path: '/moved', route: '/hello' },
  });
});

test('without plugins the body is not read, and endpoints answer alone', async () => {
  const { orchestrator } = orchestratorOf();
  const readBody = () => Promise.reject(new Error('nobody asked for the body'));

  const answered = await orchestrator.handle(sampleRequest({ endpoint: hello, hasBody: true, readBody }));
  expect(answered).toEqual({
    status: 200,
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    body: 'hello',
  });
  expect((await orchestrator.handle(sampleRequest({ hasBody: true, readBody }))).status).toBe(404);
});

test('answers of a static endpoint do not share their headers', async () => {
  const { orchestrator } = orchestratorOf();
  const first = await orchestrator.handle(sampleRequest({ endpoint: hello }));
  first.headers['x-leak'] = 'one';
  expect((await orchestrator.handle(sampleRequest({ endpoint: hello }))).headers).not.toHaveProperty(
    'x-leak',
  );
});

test('hooks also run for 405 and 404 answers', async () => {
  const { orchestrator } = orchestratorOf(tracer('t'));

  const missing = await orchestrator.handle(sampleRequest({ path: '/nowhere' }));
  expect(missing.status).toBe(404);
  expect(missing.headers).toEqual({ 'content-type': 'application/problem+json', 'x-trail': 't' });
  expect(json(missing)).toEqual({
    type: 'urn:backworks:error:BW_ROUTE_NOT_FOUND',
    title: 'No endpoint and no plugin answers this path.',
    status: 404,
    detail: 'nothing answers GET /nowhere',
    instance: '/nowhere',
    code: 'BW_ROUTE_NOT_FOUND',
    request_id: 'request-1',
  });

  const refusal = { status: 405, headers: { allow: 'GET' }, body: null };
  const refused = await orchestrator.handle(sampleRequest({ refusal }));
  expect(refused).toEqual({ status: 405, headers: { allow: 'GET', 'x-trail': 't' }, body: null });
});

test('plugins are offered an unmatched request in order, with its path as the endpoint', async () => {
  const asked: string[] = [];
  const offer = (name: string, answer: PluginResponse | null) =>
    scriptPlugin(name, {
      processEndpoint: async (route, method) => {
        asked.push(`${name} ${method} ${route}`);
        return answer;
      },
    });
  const { orchestrator } = orchestratorOf(offer('a', null), offer('b', text('b')), offer('c', text('c')));

  expect((await orchestrator.handle(sampleRequest({ path: '/free', method: 'HEAD' }))).body).toBe('b');
  expect((await orchestrator.handle(sampleRequest({ endpoint: anyPlugin }))).body).toBe('b');
  expect(asked).toEqual(['a GET /free', 'b GET /free', 'a GET /any/{x}', 'b GET /any/{x}']);
});

test('an endpoint whose plugin answers NULL is 404; if its plugin is missing, it is 503 and names the plugin', async () => {
  const { orchestrator } = orchestratorOf(
    scriptPlugin('mute', {}),
    scriptPlugin('silent', { processEndpoint: async () => null }),
  );

  expect((await orchestrator.handle(sampleRequest({ endpoint: named('silent') }))).status).toBe(404);
  expect((await orchestrator.handle(sampleRequest({ endpoint: named('mute') }))).status).toBe(404);
  const missing = await orchestrator.handle(sampleRequest({ endpoint: named('ghost') }));
  expect(missing.status).toBe(503);
  expect(json(missing)).toMatchObject({
    code: 'BW_PLUGIN_UNAVAILABLE',
    plugin: 'ghost',
    detail: 'plugin ghost is not running',
  });
});

test.each([
  ['BW_PLUGIN_CRASHED', 503, 'crashed'],
  ['BW_PLUGIN_TIMEOUT', 504, 'timeout'],
  ['BW_PLUGIN_BAD_RESPONSE', 502, 'bad_response'],
  ['BW_PLUGIN_OVERLOADED', 503, undefined],
] as const)(
  '%s in a named endpoint is the answer even when the plugin is optional: %i',
  async (code, status, outcome) => {
    const processEndpoint = async () => {
      throw new PluginFailure(code, 'plugin p failed', { plugin: 'p', phase: 'process_endpoint' });
    };
    const { orchestrator, lines } = orchestratorOf(scriptPlugin('p', { processEndpoint }));

    const response = await orchestrator.handle(sampleRequest({ endpoint: named('p') }));

    expect(response.status).toBe(status);
    expect(json(response)).toMatchObject({ code, plugin: 'p' });
    expect(lines.filter(({ level }) => level === 'warn')).toEqual([
      {
        level: 'warn',
        fields: { plugin: 'p', hook: 'process_endpoint', code, outcome, requestId: 'request-1' },
        message: 'plugin p failed',
      },
    ]);
  },
);

test('an optional plugin that fails is skipped in every hook, with a log line', async () => {
  const broken = scriptPlugin('broken', {
    beforeRequest: async () => crash('broken'),
    processEndpoint: async () => crash('broken'),
    afterResponse: async () => crash('broken'),
  });
  const { orchestrator, lines } = orchestratorOf(
    broken,
    tracer('t'),
    scriptPlugin('ok', { processEndpoint: async () => text('ok') }),
  );

  const response = await orchestrator.handle(sampleRequest({ endpoint: anyPlugin }));

  expect(response).toMatchObject({ status: 200, body: 'ok', headers: { 'x-trail': 't' } });
  expect(lines.map(({ level, fields }) => [level, (fields as { hook: string }).hook])).toEqual([
    ['warn', 'before_request'],
    ['warn', 'process_endpoint'],
    ['warn', 'after_response'],
  ]);
});

test('when no plugin answers, the failure of a plugin that might have answered is the answer', async () => {
  const { orchestrator } = orchestratorOf(
    scriptPlugin('broken', { processEndpoint: async () => crash('broken') }),
    scriptPlugin('silent', { processEndpoint: async () => null }),
  );
  const response = await orchestrator.handle(sampleRequest());
  expect(response.status).toBe(503);
  expect(json(response)).toMatchObject({ plugin: 'broken' });
});

test('the failure of a plugin with on_failure: refuse ends the request in any hook', async () => {
  const critical = { onFailure: 'refuse', priority: 50 } as const;
  const outer = tracer('outer', { priority: 1 });
  const reached = scriptPlugin('later', { processEndpoint: async () => text('later') });

  const before = orchestratorOf(
    outer,
    scriptPlugin('c', { beforeRequest: async () => crash('c') }, critical),
    tracer('inner'),
  );
  const inBefore = await before.orchestrator.handle(sampleRequest({ endpoint: hello }));
  expect(inBefore).toMatchObject({ status: 503, headers: { 'x-trail': 'outer' } });
  expect(json(inBefore)).toMatchObject({ code: 'BW_PLUGIN_CRASHED', plugin: 'c' });

  const offered = orchestratorOf(
    scriptPlugin('c', { processEndpoint: async () => crash('c') }, critical),
    reached,
  );
  expect((await offered.orchestrator.handle(sampleRequest({ endpoint: anyPlugin }))).status).toBe(503);

  const after = orchestratorOf(outer, scriptPlugin('c', { afterResponse: async () => crash('c') }, critical));
  const inAfter = await after.orchestrator.handle(sampleRequest({ endpoint: hello }));
  expect(inAfter).toMatchObject({
    status: 503,
    headers: { 'x-trail': 'outer', 'content-type': 'application/problem+json' },
  });
  expect(json(inAfter)).toMatchObject({ plugin: 'c' });
});

test('a patch that cannot be applied is a failure of the plugin that sent it', async () => {
  const sender = (onFailure: 'skip' | 'refuse') =>
    scriptPlugin(
      'sender',
      { beforeRequest: async () => ({ kind: 'patch', patch: { headers: { a: 'x\r\ny' } } }) },
      { onFailure },
    );

  const optional = await orchestratorOf(sender('skip')).orchestrator.handle(
    sampleRequest({ endpoint: hello }),
  );
  expect(optional.body).toBe('hello');

  const critical = await orchestratorOf(sender('refuse')).orchestrator.handle(
    sampleRequest({ endpoint: hello }),
  );
  expect(critical.status).toBe(502);
  expect(json(critical)).toMatchObject({ code: 'BW_PLUGIN_BAD_RESPONSE', plugin: 'sender' });
});

test('a defect in a plugin adapter is logged with its cause and not described to the client', async () => {
  const defect = new TypeError('secret detail');
  const broken = scriptPlugin(
    'broken',
    { beforeRequest: () => Promise.reject(defect) },
    { onFailure: 'refuse' },
  );
  const { orchestrator, lines } = orchestratorOf(broken);

  const response = await orchestrator.handle(sampleRequest({ endpoint: hello }));

  expect(response.status).toBe(500);
  expect(response.body).not.toContain('secret detail');
  expect(lines).toEqual([
    expect.objectContaining({ level: 'error', fields: expect.objectContaining({ err: defect }) as object }),
  ]);
});

test('an open circuit does not fill the log', async () => {
  const beforeRequest = async () => {
    throw new PluginFailure('BW_PLUGIN_CIRCUIT_OPEN', 'its circuit breaker is open', {
      plugin: 'p',
      phase: 'before_request',
    });
  };
  const { orchestrator, lines } = orchestratorOf(scriptPlugin('p', { beforeRequest }));
  await orchestrator.handle(sampleRequest({ endpoint: hello }));
  expect(lines.map(({ level }) => level)).toEqual(['debug']);
});

test('a request keeps the plugins it began with', async () => {
  let release = (): void => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const slow = scriptPlugin('slow', {
    beforeRequest: async () => {
      await held;
      return null;
    },
  });
  const { orchestrator } = orchestratorOf(slow, tracer('old', { priority: 200 }));

  const running = orchestrator.handle(sampleRequest({ endpoint: hello }));
  void orchestrator.setPlugins([tracer('new')]);
  release();

  expect((await running).headers['x-trail']).toBe('old');
  expect((await orchestrator.handle(sampleRequest({ endpoint: hello }))).headers['x-trail']).toBe('new');
});

test('setPlugins() resolves when the last request with the former plugins has ended', async () => {
  const { orchestrator } = orchestratorOf(tracer('first'));
  const [a, b] = [orchestrator.begin(), orchestrator.begin()];
  const ended: string[] = [];
  const replacement = (name: string): void =>
    void orchestrator.setPlugins([tracer(name)]).then(() => ended.push(name));
  replacement('second');
  const c = orchestrator.begin();
  replacement('third');
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  // Requests with the second set say nothing about the first; the sets may share plugins.
  c.end();
  a.end();
  await turn();
  expect(ended).toEqual([]);
  b.end();
  await turn();
  expect(ended).toEqual(['second', 'third']);
});

test('when setPlugins() throws, the former plugins and settings stay active', async () => {
  const { orchestrator } = orchestratorOf(tracer('old'));
  const broken = {
    ...tracer('broken'),
    has: () => {
      throw new Error('no hooks');
    },
  };
  expect(() => orchestrator.setPlugins([tracer('new'), broken], { bodyLimitBytes: 1 })).toThrow('no hooks');

  expect(orchestrator.begin().bodyLimitBytes).toBe(1000);
  expect((await orchestrator.handle(sampleRequest({ endpoint: hello }))).headers['x-trail']).toBe('old');
});

test('a body that its plugin could not read is refused before any plugin sees the request', async () => {
  const { orchestrator } = orchestratorOf(tracer('t'));
  const response = await orchestrator.handle(
    sampleRequest({ endpoint: named('t'), body: '{', rawHeaders: ['content-type', 'application/json'] }),
  );
  expect(response.status).toBe(400);
  expect(response.headers).not.toHaveProperty('x-trail');
});

test('an endpoint that cannot work is a configuration error', () => {
  const { orchestrator } = orchestratorOf();
  const response = { status: 200, headers: { 'x-a': 'line\nbreak' }, body: undefined };
  const invalid = expect.objectContaining({ code: 'BW_CONFIG_INVALID' });

  expect(() => orchestrator.prepare(endpoint('/s', { kind: 'static', response }))).toThrow(invalid);
  expect(() => orchestrator.prepare(endpoint('/p', proxyTarget('ftp://x')))).toThrow(invalid);
  expect(() => orchestrator.prepare(endpoint('/p', proxyTarget('x')))).toThrow(invalid);
});

/** The hooks of `tracer`, without promises. */
function tracerAtOnce(name: string, traits?: PluginTraits): BackworksPlugin {
  const trailOf = (value: unknown): string => (typeof value === 'string' ? `${value} ${name}` : name);
  return scriptPlugin(
    name,
    {
      beforeRequest: (request) => {
        const { context } = JSON.parse(request.toString()) as { context: JsonObject };
        return { kind: 'patch', patch: { context: { trail: trailOf(context.trail) } } };
      },
      afterResponse: (response) => {
        const { headers } = JSON.parse(response.toString()) as { headers: JsonObject };
        return { headers: { 'x-trail': trailOf(headers['x-trail']) } };
      },
    },
    traits,
  );
}

test('a request whose plugins answer at once is answered without a promise', () => {
  const echo = scriptPlugin('echo', {
    processEndpoint: (_route, _method, request) => text(request.toString()),
  });
  const { orchestrator } = orchestratorOf(tracerAtOnce('a', { priority: 1 }), tracerAtOnce('b'), echo);
  for (const target of [anyPlugin, named('echo')]) {
    const response = orchestrator.handle(sampleRequest({ endpoint: target })) as PluginResponse;
    expect(json(response).context).toEqual({ trail: 'a b' });
    expect(response.headers['x-trail']).toBe('b a');
  }
});

test('fast and slow plugins keep their order', async () => {
  const silent = scriptPlugin('silent', { processEndpoint: () => null });
  const late = scriptPlugin('late', {
    processEndpoint: async (_route, _method, request) => text(request.toString()),
  });
  const { orchestrator } = orchestratorOf(
    tracerAtOnce('a', { priority: 1 }),
    tracer('b', { priority: 2 }),
    tracerAtOnce('c', { priority: 3 }),
    silent,
    late,
  );
  const response = await orchestrator.handle(sampleRequest({ endpoint: anyPlugin }));
  expect(json(response).context).toEqual({ trail: 'a b c' });
  expect(response.headers['x-trail']).toBe('c b a');
});

test('a plugin that throws at once ends the request in any hook with on_failure: refuse, and is skipped with skip', () => {
  const hooks: Hooks[] = [
    { beforeRequest: () => crash('c') },
    { processEndpoint: () => crash('c') },
    { afterResponse: () => crash('c') },
  ];
  const last = scriptPlugin('last', { processEndpoint: () => text('ok') }, { priority: 200 });
  for (const hook of hooks) {
    const answer = (onFailure: 'skip' | 'refuse') => {
      const { orchestrator } = orchestratorOf(scriptPlugin('c', hook, { onFailure }), last);
      return orchestrator.handle(sampleRequest({ endpoint: anyPlugin })) as PluginResponse;
    };
    expect(json(answer('refuse'))).toMatchObject({ status: 503, code: 'BW_PLUGIN_CRASHED', plugin: 'c' });
    expect(answer('skip')).toMatchObject({ status: 200, body: 'ok' });
  }
});

test('a plugin gets the hooks that directly follow each other in one batch, and only its own', async () => {
  const offers: Record<string, unknown> = {};
  const batched = (name: string, has: Hooks): BackworksPlugin => {
    const plugin = scriptPlugin(name, has);
    const offer = (hook: string, batch: HookBatch | undefined): void => {
      offers[`${name} ${hook}`] =
        batch === undefined ? null : { method: batch.method, tells: batch.responseHead !== null };
    };
    return {
      ...plugin,
      batchesHooks: name !== 'unable',
      beforeRequest: (json, caller, document, batch) => {
        offer('before_request', batch);
        return plugin.beforeRequest(json, caller, document);
      },
      processEndpoint: (route, method, json, caller, batch) => {
        offer('process_endpoint', batch);
        return plugin.processEndpoint(route, method, json, caller);
      },
    };
  };
  const all: Hooks = {
    beforeRequest: () => null,
    processEndpoint: () => ({ status: 200, headers: {}, body: '1' }),
    afterResponse: () => null,
  };
  const silent: Hooks = { beforeRequest: all.beforeRequest!, processEndpoint: all.processEndpoint! };
  const ask = async (plugins: BackworksPlugin[], answering: string): Promise<void> => {
    const { orchestrator } = orchestratorOf(...plugins);
    await orchestrator.handle(sampleRequest({ endpoint: named(answering) }));
  };

  await ask([batched('alone', all)], 'alone');
  await ask([batched('unable', all)], 'unable');
  await ask([batched('outer', all), batched('inner', all)], 'outer');
  await ask([batched('first', all), batched('last', silent)], 'last');
  expect(offers).toEqual({
    'alone before_request': { method: 'GET', tells: true },
    // It was not called ahead, and gets the remaining hooks.
    'alone process_endpoint': { method: 'GET', tells: true },
    'unable before_request': null,
    'unable process_endpoint': null,
    // The other plugin is called in between, and sees the response first.
    'outer before_request': null,
    'inner before_request': null,
    'outer process_endpoint': null,
    'first before_request': null,
    'last before_request': { method: 'GET', tells: false },
    'last process_endpoint': null,
  });
});
