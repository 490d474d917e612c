import { RegExpRouter } from 'hono/router/reg-exp-router';
import { SmartRouter } from 'hono/router/smart-router';
import { TrieRouter } from 'hono/router/trie-router';
import { BackworksError } from '../errors.js';
import type { EndpointConfig } from '../config/types.js';
import { setOwn } from '../pipeline/documents/own-member.js';
import type { RuleBook } from '../rules/rule-book.js';
import { RouteMatch } from '../pipeline/documents/route-match.js';

/** The endpoints of one path, by method; ANY is the entry for endpoints without a list of methods. */
type PathRoute = ReadonlyMap<string, EndpointConfig>;
const ANY = '*';

const KEPT_MAX = 1000;
const KEPT_TARGET_MAX = 256;

/**
 * Finds the endpoint of a request. More specific paths come first, whatever their order in the file:
 * literal segments before {name} before *. Equally specific paths keep the order of the file.
 */
export class Routes {
  private readonly router = new SmartRouter<PathRoute>({ routers: [new RegExpRouter(), new TrieRouter()] });
  /** Cached matches by method and path. Clients choose the paths, so the cache is limited and then cleared. */
  private readonly kept = new Map<string, Map<string, RouteMatch>>();
  private keptCount = 0;

  /** @param rules the rules of the endpoints; null when there are none */
  constructor(
    endpoints: readonly EndpointConfig[],
    readonly rules: RuleBook | null = null,
  ) {
    const paths = new Map<string, Map<string, EndpointConfig>>();
    for (const endpoint of [...endpoints].sort((a, b) => compareSpecificity(a.path, b.path))) {
      const route = paths.get(endpoint.path) ?? new Map<string, EndpointConfig>();
      paths.set(endpoint.path, route);
      const methods = endpoint.methods.length === 0 ? [ANY] : endpoint.methods;
      for (const method of methods) if (!route.has(method)) route.set(method, endpoint);
    }
    for (const [path, route] of paths) this.router.add('ALL', routerPath(path), route);
  }

  /**
   * @param path as sent, percent-encoded, without the query.
   * @param targetLength length of the whole target, which stays in memory as long as the path does
   * @throws BackworksError BW_REQUEST_INVALID on malformed percent-encoding.
   */
  match(method: string, path: string, targetLength = path.length): RouteMatch {
    const kept = this.kept.get(method)?.get(path);
    if (kept !== undefined) return kept;
    const match = this.find(method, path);
    if (match.endpoint !== null && targetLength <= KEPT_TARGET_MAX) this.keep(match);
    return match;
  }

  private find(method: string, path: string): RouteMatch {
    const [matches, stash] = this.router.match('ALL', decodePath(path));
    if (matches.length === 0) return new RouteMatch(method, path);
    for (const [route, params] of matches) {
      const endpoint =
        route.get(method) ?? (method === 'HEAD' ? route.get('GET') : undefined) ?? route.get(ANY);
      if (endpoint !== undefined) return new RouteMatch(method, path, endpoint, readParams(params, stash));
    }
    const configured = new Set(matches.flatMap(([route]) => [...route.keys()]));
    return new RouteMatch(method, path, null, undefined, {
      configured: [...configured].sort(),
      allow: allowed(configured),
    });
  }

  private keep(match: RouteMatch): void {
    if (this.keptCount === KEPT_MAX) {
      this.kept.clear();
      this.keptCount = 0;
    }
    let paths = this.kept.get(match.method);
    if (paths === undefined) this.kept.set(match.method, (paths = new Map<string, RouteMatch>()));
    paths.set(match.path, match);
    this.keptCount += 1;
  }
}

/** The allowed methods: the configured ones, HEAD where GET is configured, and OPTIONS. */
function allowed(configured: ReadonlySet<string>): string[] {
  const methods = new Set(configured);
  if (methods.has('GET')) methods.add('HEAD');
  return [...methods.add('OPTIONS')].sort();
}

/** `/a/{name}/*` in the notation of Hono's routers. */
function routerPath(path: string): string {
  return path.replace(/\{([^{}/]+)\}/g, ':$1');
}

function compareSpecificity(a: string, b: string): number {
  const left = a.split('/');
  const right = b.split('/');
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = rank(left[i]) - rank(right[i]);
    if (difference !== 0) return difference;
  }
  return 0;
}

function rank(segment: string | undefined): number {
  if (segment === undefined) return 0;
  if (segment === '*') return 3;
  return segment.startsWith('{') ? 2 : 1;
}

/** Decodes what cannot change the segments: an encoded "/" stays encoded, as does "%25" until params are read. */
function decodePath(path: string): string {
  if (!path.includes('%')) return path;
  try {
    return decodeURI(path.replaceAll('%25', '%2525'));
  } catch (cause) {
    throw new BackworksError('BW_REQUEST_INVALID', 'the path has malformed percent-encoding', { cause });
  }
}

/** The routers return either the values or their indices in a list of captures. */
function readParams(
  found: Readonly<Record<string, string | number>>,
  captures: readonly string[] | undefined,
): Readonly<Record<string, string>> | undefined {
  let params: Record<string, string> | undefined;
  for (const name in found) {
    const value = found[name]!;
    const text = typeof value === 'string' ? value : captures![value]!;
    setOwn((params ??= {}), name, text.includes('%') ? decodeURIComponent(text) : text);
  }
  return params;
}
