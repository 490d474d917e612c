import type { EndpointConfig } from '../config/types.js';
import { BackworksError } from '../errors.js';
import { Routes } from '../http/routes.js';
import { PluginMetrics } from '../metrics/plugin-metrics.js';
import type { Refusal } from '../native/plugin.js';
import { JsonOutline } from '../plugins/json-outline.js';
import { undescribedToRun } from '../plugins/entry-of.js';
import type { LoadedPlugin } from '../plugins/loaded-plugin.js';
import type { PipelineHook, PluginMetadata } from '../plugins/metadata.js';
import type { HeaderMap, PluginResponse } from '../plugins/plugin.js';
import { type PluginEntry, resolvePolicy } from '../plugins/plugin-entry.js';
import { createCaller, hookArguments } from '../profiling/documents.js';
import { generateRequests } from '../profiling/generated-requests.js';
import { PluginRecorder, type RecordedLine } from './plugin-recorder.js';
import { partsOf, pluginOf, type PluginSource } from './plugin-source.js';

/** What to call, and with what. */
export interface CallWish {
  /** `operation`: an operation of the manifest's `capabilities`. */
  readonly hook: PipelineHook | 'operation';
  /** Name of the operation; null for a hook. */
  readonly operation: string | null;
  /** Null: GET, or POST with a body; for a configured plugin the method of its first endpoint. */
  readonly method: string | null;
  /** Path and query. Null: "/", or for a configured plugin a path of its first endpoint. */
  readonly target: string | null;
  /** Path of an endpoint such as "/weather/{city}", which the request has to match; null for the real endpoints. */
  readonly route: string | null;
  /** Of the request; of the response for after_response. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Body of the request, of the response for after_response, payload of an operation. */
  readonly body: Buffer | null;
  /** Status of the response that after_response gets. */
  readonly status: number;
  /** The `context` that earlier plugins left, as a JSON object; null for none. */
  readonly context: string | null;
}

/** One call, and everything that is known about it. Documents are JSON texts, so that numbers keep their digits. */
export interface CallReport {
  readonly name: string;
  /** Null when the plugin did not start. */
  readonly metadata: PluginMetadata | null;
  readonly hook: CallWish['hook'];
  readonly operation: string | null;
  /** The arguments of process_endpoint; null for other functions. */
  readonly endpoint: { readonly route: string; readonly method: string } | null;
  /** The document that the plugin got; null when the plugin did not start. */
  readonly given: string | null;
  /** The answer; null for NULL and for a failure. */
  readonly answer: string | null;
  /** The document after the patch; null when there was no patch. */
  readonly after: string | null;
  /** Total time of the call as a server sees it; null when the plugin was not called. */
  readonly durationMs: number | null;
  /** Time in the plugin's function; null when unknown. */
  readonly ownMs: number | null;
  /** The effective `timeouts.call`. The call itself may take longer. */
  readonly deadlineMs: number | null;
  readonly failure: BackworksError | null;
  readonly log: readonly RecordedLine[];
  /** Counters that the plugin raised, by name. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Operations that the sandbox refused. */
  readonly refusals: readonly Refusal[];
}

/** A call may take this many deadlines, so that a slow plugin is seen as slow and not as failed. */
const DEADLINES_WAITED = 20;
const SAMPLE_BODY = '{"ok":true}';

/** How a debugger takes part in a call. */
export interface Debugging {
  /** A process exists and has loaded nothing. It goes on when the promise resolves. */
  attach(pid: number): Promise<void>;
  /** Variables that the process gets, from the environment of the source. */
  readonly variables: readonly string[];
}

/**
 * Starts a plugin in its sandbox, makes one call, and stops the plugin. A plugin that fails is a result and no
 * error.
 * @param debugging the plugin then runs without a sandbox and without deadlines, from its own file
 * @throws BackworksError BW_USAGE when the plugin has no such function, BW_REQUEST_INVALID when the request cannot
 *   become a document, BW_PLUGIN_UNKNOWN, or the reason the library cannot be described
 */
export async function callPlugin(
  source: PluginSource,
  wish: CallWish,
  debugging: Debugging | null = null,
): Promise<CallReport> {
  const record = new PluginRecorder();
  const metrics = new PluginMetrics();
  const parts = partsOf(source, { log: record.collector, metrics });
  // Under a debugger, nothing runs before the debugger has attached.
  const { entry, endpoints } =
    debugging !== null && source.which.kind === 'library'
      ? undescribedToRun(source.which.path, parts, source.block)
      : await pluginOf(source, parts);
  const calm = debugging === null ? forOneCall(entry) : forDebugger(forOneCall(entry), debugging);
  const outcome = await run();
  return {
    name: entry.name,
    hook: wish.hook,
    operation: wish.operation,
    ...outcome,
    log: record.log,
    metrics: await metrics.customCounts(entry.name),
    refusals: record.refusals,
  };

  function load(): Promise<LoadedPlugin> {
    if (debugging === null) return parts.loader.load(calm, record.events);
    let first: Promise<void> | null = null;
    // The spare process does not wait.
    const spawned = (pid: number): Promise<void> =>
      first === null ? (first = debugging.attach(pid)) : Promise.resolve();
    return parts.loader.load(calm, { ...record.events, spawned }, async (add) => {
      const stored = await add();
      // A debugger reads symbols from the path that the process loads.
      return { ...stored, path: calm.config.path ?? stored.path, inPlace: true };
    });
  }

  async function run(): Promise<Outcome> {
    let plugin: LoadedPlugin;
    try {
      plugin = await load();
    } catch (thrown) {
      return { ...NOT_CALLED, failure: await record.detailed(thrown) };
    }
    try {
      return await makeCall(plugin, calm, callOf(plugin, wish, endpoints), record);
    } finally {
      // The last lines and counters have arrived when the process has ended.
      await plugin.close();
    }
  }
}

/** The largest deadline that a frame holds: eleven days. */
const NEVER_MS = 999_999_999;

/** Nothing stops the plugin while its author reads its variables. */
function forDebugger({ config, ...entry }: PluginEntry, { variables }: Debugging): PluginEntry {
  const timeouts = { callMs: NEVER_MS, initializeMs: NEVER_MS, shutdownMs: NEVER_MS };
  const limits = { ...config.limits, memoryBytes: 0, callCpuMs: 0, idleCpuPercent: 0 };
  const permissions = { ...config.permissions, env: [...config.permissions.env, ...variables] };
  return {
    ...entry,
    config: { ...config, isolation: 'process', sandbox: 'off', timeouts, limits, permissions },
  };
}

type Outcome = Pick<
  CallReport,
  'metadata' | 'endpoint' | 'given' | 'answer' | 'after' | 'durationMs' | 'ownMs' | 'deadlineMs' | 'failure'
>;

const NOT_CALLED: Omit<Outcome, 'failure'> = {
  metadata: null,
  endpoint: null,
  given: null,
  answer: null,
  after: null,
  durationMs: null,
  ownMs: null,
  deadlineMs: null,
};

/** A call that is ready to be made. */
interface PreparedCall extends Pick<Outcome, 'endpoint'> {
  readonly given: string;
  make(plugin: LoadedPlugin, caller: ReturnType<typeof createCaller>): Promise<Answered>;
}

interface Answered {
  readonly answer: string | null;
  readonly after: string | null;
}

async function makeCall(
  loaded: LoadedPlugin,
  { config }: PluginEntry,
  call: PreparedCall,
  record: PluginRecorder,
): Promise<Outcome> {
  const { metadata } = loaded;
  const policy = resolvePolicy(config, metadata);
  const { callMs } = policy.timeouts;
  const patient = loaded.adjusted({
    ...policy,
    timeouts: { ...policy.timeouts, callMs: Math.min(callMs * DEADLINES_WAITED, NEVER_MS) },
  });
  const caller = createCaller();
  const common = { metadata, endpoint: call.endpoint, given: call.given, deadlineMs: callMs };
  const startedAtMs = performance.now();
  const took = (): number => performance.now() - startedAtMs;
  try {
    const answered = await call.make(patient, caller);
    const ownNs = caller.call?.ownNs ?? 0;
    return {
      ...common,
      ...answered,
      durationMs: took(),
      ownMs: ownNs === 0 ? null : ownNs / 1e6,
      failure: null,
    };
  } catch (thrown) {
    const durationMs = took();
    const failure = await record.detailed(thrown);
    return { ...common, answer: null, after: null, durationMs, ownMs: null, failure };
  }
}

/** @throws BackworksError BW_USAGE, BW_REQUEST_INVALID */
function callOf(plugin: LoadedPlugin, wish: CallWish, named: readonly EndpointConfig[]): PreparedCall {
  const { hook } = wish;
  checkFunction(plugin.metadata, wish);
  if (hook === 'operation') return operationCall(wish);
  const endpoints = wish.route === null ? named : [endpointAt(wish.route)];
  const [sample] = generateRequests(endpoints);
  const target = wish.target ?? (endpoints.length > 0 ? sample?.target : undefined) ?? '/';
  const method = wish.method ?? methodFor(wish, endpoints);
  const isResponse = hook === 'after_response';
  const request = {
    method,
    target,
    headers: isResponse ? [] : wish.headers,
    body: isResponse ? null : wish.body,
  };
  const response = isResponse ? responseOf(wish) : undefined;
  const { document, route } = hookArguments(hook, request, new Routes(endpoints), response);
  if (wish.route !== null && route !== wish.route)
    throw new BackworksError('BW_USAGE', `the path ${target} does not match the route ${wish.route}`);
  document.mayChangeBody = plugin.body[isResponse ? 'response' : 'request'] !== 'none';
  if (wish.context !== null) document.merge(contextPatch(wish.context));
  const given = document.toJson().toString();
  const make: PreparedCall['make'] = async (called, caller) => {
    if (hook === 'process_endpoint') {
      const response = await called.processEndpoint(route, method, given, caller);
      return { answer: response && responseJson(response), after: null };
    }
    if (hook === 'after_response') {
      const patch = await called.afterResponse(given, caller, document);
      return patched(patch?.outline ?? null);
    }
    const decision = await called.beforeRequest(given, caller, document);
    if (decision?.kind === 'respond') return { answer: responseJson(decision.response), after: null };
    return patched(decision?.patch.outline ?? null);
  };
  const patched = (outline: JsonOutline | null): Answered => ({
    answer: outline === null ? null : outline.bytes.toString('utf8').trim(),
    after: outline === null ? null : document.toJson().toString(),
  });
  return { endpoint: hook === 'process_endpoint' ? { route, method } : null, given, make };
}

function endpointAt(path: string): EndpointConfig {
  return { name: 'call', path, methods: [], bodyLimitBytes: null, target: { kind: 'any-plugin' }, hooks: [] };
}

function methodFor({ body, hook }: CallWish, endpoints: readonly EndpointConfig[]): string {
  const [first] = endpoints.flatMap(({ methods }) => methods);
  if (hook === 'after_response') return first ?? 'GET';
  return first ?? (body === null ? 'GET' : 'POST');
}

function operationCall({ operation, body }: CallWish): PreparedCall {
  const given = body === null ? '{}' : body.toString('utf8');
  return {
    endpoint: null,
    given,
    make: async (plugin, caller) => {
      const reply = await plugin.perform(operation ?? '', given, caller);
      return { answer: reply === null ? null : reply.toString(), after: null };
    },
  };
}

function checkFunction({ name, hooks, capabilities }: PluginMetadata, { hook, operation }: CallWish): void {
  const list = (names: Iterable<string>): string => [...names].join(', ') || 'none';
  if (hook === 'operation') {
    if (operation !== null && capabilities.includes(operation)) return;
    const message = `plugin ${name} has no operation ${JSON.stringify(operation)}`;
    throw new BackworksError('BW_USAGE', message, { hint: `its capabilities: ${list(capabilities)}` });
  }
  if (hooks.has(hook)) return;
  const message = `plugin ${name} has no hook ${hook}`;
  throw new BackworksError('BW_USAGE', message, { hint: `its hooks: ${list(hooks)}` });
}

function responseOf({ status, headers: given, body }: CallWish): PluginResponse {
  const headers: HeaderMap = {};
  for (const [name, value] of given) {
    const before = headers[name];
    headers[name] = before === undefined ? value : [...[before].flat(), value];
  }
  if (body !== null) return { status, headers, body };
  headers['content-type'] ??= 'application/json';
  return { status, headers, body: SAMPLE_BODY };
}

/** @throws BackworksError BW_USAGE when the text is not a JSON object */
function contextPatch(context: string): NonNullable<ReturnType<JsonOutline['object']>> {
  const outline = JsonOutline.of(Buffer.from(context));
  if (typeof outline !== 'number' && outline.kind === 'object') {
    const patch = JsonOutline.of(Buffer.from(`{"context":${context}}`));
    const members = typeof patch === 'number' ? null : patch.object();
    if (members !== null) return members;
  }
  throw new BackworksError('BW_USAGE', '--context expects a JSON object');
}

/** The response that the server would send, as JSON text. */
function responseJson({ status, headers, body, json }: PluginResponse): string {
  return `{"status":${status},"headers":${JSON.stringify(headers)},${bodyJson(body, json)}}`;
}

function bodyJson(body: PluginResponse['body'], json: PluginResponse['json']): string {
  if (json !== undefined) return `"body_encoding":"json","body":${json.toString()}`;
  if (body === null) return '"body_encoding":"text","body":null';
  const isText = typeof body === 'string';
  const text = isText ? body : Buffer.isBuffer(body) ? body.toString('base64') : '';
  return `"body_encoding":"${isText ? 'text' : 'base64'}","body":${JSON.stringify(text)}`;
}

/** One process, one attempt, and no protection that would replace the process. */
function forOneCall({ config, ...entry }: PluginEntry): PluginEntry {
  return {
    ...entry,
    config: {
      ...config,
      instances: 1,
      retry: { attempts: 1, on: [] },
      recycle: { calls: 0, memoryBytes: 0 },
    },
  };
}
