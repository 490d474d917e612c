import type { CheckedFile } from '../schema/checked-file.js';
import { checkBodyLimit } from './limits.js';
import { checkProxy } from './proxy.js';
import { nearest } from '../source/nearest.js';
import { ruleContradictions } from './rules.js';
import { hookName, hookPointer } from '../schema/endpoint-hooks.js';
import { routeFault, routeShape } from '../schema/route.js';
import { redirectFault } from '../source/redirect-target.js';
import { below, type Pointer } from '../source/pointer.js';
import type { RawEndpoint } from '../schema/raw.js';

/** RFC 9110: responses with these statuses have no content. */
const EMPTY_STATUSES: readonly number[] = [204, 205, 304];

/** The keys of which an endpoint has at most one. */
const TARGETS = ['plugin', 'response', 'proxy', 'files', 'redirect'] as const;

interface Taken {
  readonly name: string;
  readonly methods: readonly string[] | undefined;
}

/** Reports endpoints that cannot answer or that claim the same requests. */
export function endpointContradictions(file: CheckedFile): void {
  if (file.isInvalid('/endpoints')) return;
  const taken = new Map<string, Taken[]>();
  for (const [name, endpoint] of Object.entries(file.raw.endpoints)) {
    const pointer = below('/endpoints', name);
    if (file.isBroken(pointer)) continue;
    checkTarget(file, pointer, endpoint);
    checkRedirect(file, below(pointer, 'redirect'), endpoint);
    checkHooks(file, name, endpoint);
    ruleContradictions(file, pointer, endpoint);
    const { body_limit: bodyLimit } = endpoint;
    if (bodyLimit !== undefined) checkBodyLimit(file, below(pointer, 'body_limit'), bodyLimit);
    if (isRoute(file, below(pointer, 'path'), endpoint.path)) checkOverlap(file, name, endpoint, taken);
  }
}

function isRoute(file: CheckedFile, pointer: Pointer, path: string): boolean {
  const fault = routeFault(path);
  if (fault === undefined) return true;
  // The hint quotes a part of the path.
  const hint = file.isHidden(pointer) ? undefined : fault.hint;
  file.reject(pointer, { expected: fault.expected, found: file.show(pointer, path), hint });
  return false;
}

function checkTarget(file: CheckedFile, pointer: Pointer, endpoint: RawEndpoint): void {
  const targets = TARGETS.filter((key) => endpoint[key] !== undefined);
  if (targets.length > 1) {
    const hint = 'remove all but one';
    file.rejectEntry(pointer, {
      expected: `one of ${TARGETS.slice(0, -1).join(', ')} and ${TARGETS.at(-1)}`,
      found: targets.join(' and '),
      hint,
    });
  }
  if (endpoint.plugin !== undefined) checkPluginName(file, below(pointer, 'plugin'), endpoint.plugin);
  const { response, proxy } = endpoint;
  if (response !== undefined && response.body !== undefined && EMPTY_STATUSES.includes(response.status)) {
    const message = `a response with status ${response.status} has no body`;
    file.reject(`${pointer}/response/body`, { message, hint: 'remove it' });
  }
  if (proxy !== undefined) checkProxy(file, `${pointer}/proxy`, proxy, endpoint.path);
  if (endpoint.files !== undefined) checkFiles(file, pointer, endpoint, endpoint.files);
}

function checkFiles(
  file: CheckedFile,
  pointer: Pointer,
  { path, methods = [] }: RawEndpoint,
  { fallback }: NonNullable<RawEndpoint['files']>,
): void {
  const at = below(pointer, 'path');
  if (!path.endsWith('/*'))
    file.reject(at, {
      expected: 'a path that ends in "/*", whose rest names the file',
      found: file.show(at, path),
    });
  for (const [index, method] of methods.entries()) {
    if (method === 'GET' || method === 'HEAD') continue;
    file.reject(`${pointer}/methods/${index}`, { message: `files answer GET and HEAD, not ${method}` });
  }
  if (fallback?.split('/').some((name) => name === '.' || name === '..') === true) {
    const place = `${pointer}/files/fallback`;
    file.reject(place, { expected: 'a path below the directory', found: file.show(place, fallback) });
  }
}

function checkRedirect(file: CheckedFile, pointer: Pointer, { path, redirect }: RawEndpoint): void {
  if (redirect === undefined) return;
  const fault = redirectFault(redirect.to, path);
  if (fault === undefined) return;
  const at = below(pointer, 'to');
  file.reject(at, { expected: fault.expected, found: file.show(at, redirect.to), hint: fault.hint });
}

/**
 * Each hook needs an entry under `plugins`: a plugin that a directory does not contain would leave the endpoint without
 * its hooks, which may be the ones that guard it.
 */
function checkHooks(file: CheckedFile, name: string, { hooks = [] }: RawEndpoint): void {
  const seen = new Set<string>();
  for (const [index, hook] of hooks.entries()) {
    const pointer = hookPointer(name, index);
    if (file.isBroken(pointer)) continue;
    const plugin = hookName(hook);
    const at = typeof hook === 'string' ? pointer : below(pointer, 'plugin');
    if (seen.has(plugin)) file.reject(at, { message: `${file.show(at, plugin)} is already in the list` });
    seen.add(plugin);
    checkEntry(file, at, plugin, 'add it to plugins; a plugin of plugins.auto_discover needs an entry, too');
  }
}

/** With auto_discover, the set of plugins is known only later. */
function checkPluginName(file: CheckedFile, pointer: Pointer, name: string): void {
  if (file.isInvalid('/plugins') || file.isBroken('/plugins/auto_discover')) return;
  if (file.raw.plugins.auto_discover.enabled) return;
  checkEntry(file, pointer, name, 'add it to plugins, or enable plugins.auto_discover');
}

/** @param hint when no plugin has a similar name */
function checkEntry(file: CheckedFile, pointer: Pointer, name: string, hint: string): void {
  if (file.isInvalid('/plugins')) return;
  const names = Object.keys(file.raw.plugins).filter((key) => key !== 'auto_discover');
  if (names.includes(name)) return;
  const near = nearest(name, names);
  file.reject(pointer, {
    message: `no plugin is called ${file.show(pointer, name)}`,
    hint: near === undefined ? hint : `did you mean "${near}"?`,
  });
}

function checkOverlap(
  file: CheckedFile,
  name: string,
  { path, methods }: RawEndpoint,
  taken: Map<string, Taken[]>,
): void {
  const shape = routeShape(path);
  const earlier = taken.get(shape) ?? [];
  taken.set(shape, [...earlier, { name, methods }]);
  for (const other of earlier) {
    const both = sharedMethods(methods, other.methods);
    if (both === undefined) continue;
    const pointer = `/endpoints/${name}/path`;
    const message = `${file.show(pointer, path)} already belongs to endpoints.${other.name} for ${both}`;
    file.reject(pointer, { message });
    return;
  }
}

/** The methods that both endpoints accept, in words; undefined when there are none. */
function sharedMethods(
  a: readonly string[] | undefined,
  b: readonly string[] | undefined,
): string | undefined {
  if (a === undefined && b === undefined) return 'every method';
  const shared = a === undefined ? (b ?? []) : a.filter((method) => b === undefined || b.includes(method));
  return shared.length === 0 ? undefined : shared.join(', ');
}
