import { isScalar, type YAMLMap } from 'yaml';
import type { EditedDocument, Entry } from './edited-document.js';
import { isName, nameFrom } from './names.js';

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const ENDPOINT_KEYS = new Set(['path', 'methods', 'plugin', 'response', 'proxy']);
const RESPONSE_KEYS = new Set(['status', 'headers', 'body']);
/** Responses with these statuses have no body, whatever the first dialect allowed. */
const EMPTY_STATUSES = new Set([204, 205, 304]);
const PROXY_KEYS = new Set(['target', 'timeout']);
/** In order of precedence: the first key that is present answers. */
const TARGETS = ['plugin', 'response', 'proxy'];
/** Modes that only repeat what the endpoint's other keys say. */
const IMPLIED_MODES = new Set(['plugin', 'proxy']);

/** The plugins that endpoints may name. */
export interface KnownPlugins {
  /** New names by old names. */
  readonly names: ReadonlyMap<string, string>;
  /** Endpoints may also name plugins that are discovered. */
  readonly others: boolean;
}

/** Gives endpoints names. Their old keys become paths. */
export function migrateEndpoints(file: EditedDocument, root: YAMLMap, plugins: KnownPlugins): void {
  const endpoints = file.entry(root, 'endpoints');
  const map = endpoints === undefined ? null : file.mapping(endpoints.value);
  if (endpoints === undefined || map === null) return;
  const taken = new Set(file.entries(map).map(({ key }) => key));
  const routes = new Set<string>();
  for (const entry of file.entries(map)) {
    const endpoint = file.mapping(entry.value);
    if (endpoint === null) continue;
    map.flow = false;
    endpoint.flow = false;
    const fault = migrateEndpoint(file, { endpoints: map, entry, endpoint, taken, plugins, routes });
    if (fault !== null) file.commentOut(map, entry, fault, endpoints);
  }
}

interface EndpointTask {
  readonly endpoints: YAMLMap;
  readonly entry: Entry;
  readonly endpoint: YAMLMap;
  readonly taken: Set<string>;
  readonly plugins: KnownPlugins;
  /** Methods and paths that are already used. */
  readonly routes: Set<string>;
}

/** @returns why version 1 does not support the endpoint, or null */
function migrateEndpoint(file: EditedDocument, task: EndpointTask): string | null {
  const { entry, endpoint } = task;
  const former = file.entry(endpoint, 'path');
  const path = pathOf(former === undefined ? entry.key : file.text(former.value));
  if (path === null) return 'its path cannot be written in version 1';
  if (!hasTarget(file, task)) return 'version 1 has no equivalent of its target';
  const methods = migrateMethods(file, task);
  if (methods === null) return 'version 1 supports none of its methods';
  const route = path.replace(/\{[^}]*\}/g, '{}');
  const wanted = (methods.length === 0 ? [...METHODS] : methods).map((method) => `${method} ${route}`);
  if (wanted.some((each) => task.routes.has(each))) return 'another endpoint has this path and method';
  for (const each of wanted) task.routes.add(each);

  if (former === undefined) {
    endpoint.items.unshift(file.document.createPair('path', path));
  } else if (file.value(former.value) !== path) file.setValue(former, path);
  migrateTarget(file, task);
  describe(file, task);
  dropTheRest(file, task);
  if (!isName(entry.key)) file.rename(entry, nameFrom(path, task.taken));
  return null;
}

/** False for an endpoint whose only target is of a kind that version 1 does not support. */
function hasTarget(file: EditedDocument, { endpoint, plugins }: EndpointTask): boolean {
  const keys = file.entries(endpoint).map(({ key }) => key);
  if (!keys.some((key) => ['runtime', 'plugin', 'proxy', 'database'].includes(key))) return true;
  const proxy = file.mapping(file.entry(endpoint, 'proxy')?.value);
  const plugin = file.entry(endpoint, 'plugin');
  const named = plugin === undefined ? handlerOf(file, endpoint) : file.text(plugin.value);
  return (
    keys.includes('response') ||
    (proxy !== null && file.entry(proxy, 'target') !== undefined) ||
    (named !== null && nameOf(named, plugins) !== null)
  );
}

/** The plugin that `runtime` names, if it names one. */
function handlerOf(file: EditedDocument, endpoint: YAMLMap): string | null {
  const runtime = file.mapping(file.entry(endpoint, 'runtime')?.value);
  if (runtime === null || file.text(file.entry(runtime, 'type')?.value).toLowerCase() !== 'plugin')
    return null;
  const handler = file.value(file.entry(runtime, 'handler')?.value);
  return typeof handler === 'string' ? handler : null;
}

/** The new name of a plugin; null when there is no such plugin. */
function nameOf(named: string, { names, others }: KnownPlugins): string | null {
  return names.get(named) ?? (others && isName(named) ? named : null);
}

/**
 * Converts `/city/:name` and `/files/*rest` to the syntax of version 1. Null for a path that version 1 does
 * not allow.
 */
function pathOf(text: string): string | null {
  const path = (text.startsWith('/') ? text : `/${text}`).replace(/(?<=.)\/+$/, '');
  const segments = path
    .split('/')
    .slice(1)
    .map((segment) => segment.replace(/^:(\w+)$/, '{$1}').replace(/^\*\w*$/, '*'));
  const names = segments.filter((segment) => segment.startsWith('{'));
  const isValid = segments.every((segment, index) => {
    if (segment === '*') return index === segments.length - 1;
    if (/^\{[A-Za-z_][A-Za-z0-9_]*\}$/.test(segment)) return true;
    return /^[A-Za-z0-9._~!$&'()+,;=@-]+$/.test(segment) && !/^\.\.?$/.test(segment);
  });
  if (path === '/') return path;
  return isValid && new Set(names).size === names.length ? `/${segments.join('/')}` : null;
}

/** @returns the methods, empty for all methods; null when no valid method is left */
function migrateMethods(file: EditedDocument, { entry, endpoint }: EndpointTask): string[] | null {
  const single = file.entry(endpoint, 'method');
  if (single !== undefined && file.entry(endpoint, 'methods') !== undefined)
    file.commentOut(endpoint, single, '"methods" takes precedence', entry);
  else if (single !== undefined) file.rename(single, 'methods');
  const methods = file.entry(endpoint, 'methods');
  if (methods === undefined) {
    // The first dialect's default.
    endpoint.add(file.document.createPair('methods', file.document.createNode(['GET'], { flow: true })));
    return ['GET'];
  }
  const given = [file.value(methods.value)]
    .flat()
    .map((method) => (typeof method === 'string' ? method.toUpperCase() : JSON.stringify(method)));
  if (given.includes('ANY') || given.includes('*') || given.length === 0) {
    file.delete(endpoint, methods);
    return [];
  }
  const known = [...new Set(given)].filter((method) => METHODS.has(method));
  const gone = given.filter((method) => !METHODS.has(method));
  if (gone.length > 0) file.note(file.lineOf(methods), `${entry.key}: version 1 has no ${gone.join(', ')}`);
  if (known.length === 0) return null;
  if (JSON.stringify(known) !== JSON.stringify(file.value(methods.value))) file.setValue(methods, known);
  return known;
}

function migrateTarget(file: EditedDocument, { entry, endpoint, plugins }: EndpointTask): void {
  const runtime = file.entry(endpoint, 'runtime');
  const map = runtime === undefined ? null : file.mapping(runtime.value);
  if (runtime !== undefined && map !== null) {
    const handler = handlerOf(file, endpoint);
    const extra = file.entries(map).filter(({ key }) => key !== 'type' && key !== 'handler');
    if (handler !== null && file.entry(endpoint, 'plugin') === undefined) {
      for (const inner of extra) file.commentOut(map, inner, 'version 1 has no such key', entry);
      file.rename(runtime, 'plugin');
      file.setValue(runtime, handler);
    } else file.commentOut(endpoint, runtime, 'only plugins run code in version 1', entry);
  }
  const plugin = file.entry(endpoint, 'plugin');
  if (plugin !== undefined) {
    const named = file.text(plugin.value);
    const name = nameOf(named, plugins);
    if (name === null) file.commentOut(endpoint, plugin, 'no plugin has this name', entry);
    else if (name !== named) file.setValue(plugin, name);
  }
  migrateProxy(file, entry, endpoint);
  const response = file.entry(endpoint, 'response');
  if (response !== undefined) migrateResponse(file, entry, response);
  const present = TARGETS.flatMap((key) => file.entry(endpoint, key) ?? []);
  for (const other of present.slice(1)) {
    file.commentOut(endpoint, other, `"${present[0]?.key}" already answers this endpoint`, entry);
  }
}

function migrateResponse(file: EditedDocument, entry: Entry, response: Entry): void {
  keepKeys(file, entry, response, RESPONSE_KEYS);
  const map = file.mapping(response.value);
  if (map === null) return;
  const status = file.entry(map, 'status');
  const body = file.entry(map, 'body');
  const code = Number(status === undefined ? 200 : file.text(status.value));
  if (status === undefined || isStatus(code)) {
    if (status !== undefined && file.value(status.value) !== code) file.setValue(status, code);
  } else file.commentOut(map, status, 'version 1 has no such status', entry);
  if (body !== undefined && EMPTY_STATUSES.has(code))
    file.commentOut(map, body, `a response with status ${code} has no body`, entry);
}

const isStatus = (code: number): boolean => Number.isInteger(code) && code >= 200 && code <= 599;

function migrateProxy(file: EditedDocument, entry: Entry, endpoint: YAMLMap): void {
  const proxy = file.entry(endpoint, 'proxy');
  const map = proxy === undefined ? null : file.mapping(proxy.value);
  if (proxy === undefined || map === null) return;
  if (file.entry(map, 'target') === undefined) {
    file.commentOut(endpoint, proxy, 'in version 1 a proxy has exactly one target', entry);
    return;
  }
  const timeout = file.entry(map, 'timeout');
  const seconds = timeout === undefined ? null : file.value(timeout.value);
  if (timeout !== undefined && typeof seconds === 'number') {
    if (Number.isInteger(seconds) && seconds > 0 && seconds < 1e6) file.setValue(timeout, `${seconds}s`);
    else file.commentOut(map, timeout, 'version 1 does not allow this duration', entry);
  }
  keepKeys(file, entry, proxy, PROXY_KEYS);
}

function keepKeys(file: EditedDocument, entry: Entry, block: Entry, keys: ReadonlySet<string>): void {
  const map = file.mapping(block.value);
  if (map === null) return;
  for (const inner of file.entries(map)) {
    if (!keys.has(inner.key)) file.commentOut(map, inner, `${block.key} has no such key`, entry);
  }
}

/** Version 1 has no descriptions, so the description becomes a comment. */
function describe(file: EditedDocument, { entry, endpoint }: EndpointTask): void {
  const description = file.entry(endpoint, 'description');
  if (description === undefined) return;
  file.delete(endpoint, description);
  const text = file.text(description.value).trim();
  if (text !== '') file.commentAbove(entry, text.split('\n'));
}

function dropTheRest(file: EditedDocument, { entry, endpoint }: EndpointTask): void {
  for (const inner of file.entries(endpoint)) {
    if (ENDPOINT_KEYS.has(inner.key)) continue;
    const isImplied = inner.key === 'mode' && isScalar(inner.value);
    if (isImplied && IMPLIED_MODES.has(file.text(inner.value).toLowerCase())) file.delete(endpoint, inner);
    else file.commentOut(endpoint, inner, 'version 1 has no such key', entry);
  }
}
