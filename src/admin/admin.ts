import { randomUUID } from 'node:crypto';
import { type Context, Hono } from 'hono';
import { BackworksError } from '../errors.js';
import type { PluginMetrics } from '../metrics/plugin-metrics.js';
import { addProcessMetrics } from '../metrics/process-metrics.js';
import { type Log, silentLog } from '../log.js';
import type { PluginStatus } from '../lifecycle/entry/status.js';
import type { RejectedLibrary } from '../plugins/discovery.js';
import { type ReloadReport, reloadDocument } from '../reload/report.js';
import { type AdminTokens, type Scope, scopeCheck } from './bearer-token.js';
import { type PluginDocument, pluginDocument } from './plugin-document.js';
import { addPluginGauges } from './plugin-gauges.js';
import { problemResponse } from '../http/problem.js';
import { readiness } from './readiness.js';
import { workerDocument, type WorkerDocument, type WorkerStatus } from './worker-document.js';
import { addVersionRoutes, type VersionControl } from './version-routes.js';

export interface AdminStatus {
  readonly plugins: readonly PluginStatus[];
  readonly rejected: readonly RejectedLibrary[];
  readonly draining: boolean;
  /** True until the server has tried to start every plugin. Absent when the API opens only after that. */
  readonly starting?: boolean;
  readonly startedAt: Date;
  /** Absent for a server with one process. */
  readonly workers?: readonly WorkerStatus[];
}

/** The actions of the admin API. All reject with a BackworksError. */
export interface AdminControl extends VersionControl {
  /** Applies the changed configuration, or with `dryRun` reports what would change. */
  reload(options: { readonly dryRun: boolean }): Promise<ReloadReport>;
  restart(name: string): Promise<void>;
  release(name: string): Promise<void>;
  enable(name: string): Promise<void>;
  disable(name: string, options: { readonly force: boolean }): Promise<void>;
  unload(name: string, options: { readonly force: boolean }): Promise<void>;
  /** @param which name of a plugin or of a library file @returns name of the plugin */
  load(which: string): Promise<string>;
}

export interface AdminOptions extends AdminTokens {
  /** Updates what status() and the metrics return. Called before each read. Never rejects. */
  readonly refresh?: () => Promise<void>;
  /** The current state. @param worker limits the plugins to that worker's; default: all workers */
  readonly status: (worker?: number) => AdminStatus;
  readonly control: AdminControl;
  readonly metrics: Pick<PluginMetrics, 'registry' | 'text'>;
  readonly version: string;
  /** Absolute path of the configuration file. Tells apart servers that use the same port. */
  readonly configFile?: string | null;
  readonly log?: Log;
}

/** The answer of GET /plugins. */
export interface PluginsDocument {
  version: string;
  started_at: string;
  config_file: string | null;
  /** Empty for a server with one process. */
  workers: WorkerDocument[];
  plugins: PluginDocument[];
  rejected: { path: string; code: string; reason: string; hint: string | null }[];
}

/** Probes need no token. Every other path does. */
const PROBES = ['/healthz', '/readyz'] as const;
const VIEWS = ['/metrics', '/plugins', '/plugins/:name'] as const;
const ACTIONS = [
  'restart',
  'release',
  'enable',
  'disable',
  'unload',
] as const satisfies readonly (keyof AdminControl)[];
const LOAD = '/plugins/:name/load';
const RELOAD = '/reload';

/** What the groups of routes share. */
interface RouteParts {
  readonly options: AdminOptions;
  readonly refresh: () => Promise<void>;
  /** Requires a token with a scope on a path. */
  readonly permit: (path: string, needed: Scope) => void;
  /** Rejects other methods on a path. @param allow value of the `allow` header */
  readonly only: (path: string, allow: string) => void;
  /** @throws BackworksError BW_ROUTE_NOT_FOUND */
  readonly plugin: (name: string, worker?: number) => PluginStatus;
}

/**
 * The admin API: probes, metrics, plugin states and control of plugins, on its own port. /healthz and
 * /readyz need no token. The read token allows reading, the token allows reading and control. There are no
 * CORS headers, so browsers do not let other origins read answers.
 */
export function createAdminApp(options: AdminOptions): Hono {
  const { status, control, log = silentLog, refresh = () => Promise.resolve() } = options;
  const app = new Hono();
  app.use(async (c, next) => {
    await next();
    c.header('cache-control', 'no-store');
  });
  const answer = (c: Context, thrown: unknown, headers: Record<string, string> = {}): Response => {
    const response = problemResponse(thrown, c.req.path, randomUUID(), log, true);
    for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
    return response;
  };
  const scopeOf = scopeCheck(options);
  const parts: RouteParts = {
    options,
    refresh,
    permit: (path, needed) =>
      app.use(path, async (c: Context, next) => {
        const scope = scopeOf(c.req.header('authorization'));
        if (scope === needed || scope === 'control') return next();
        if (scope === null)
          return answer(c, NO_TOKEN, { 'www-authenticate': 'Bearer realm="backworks admin"' });
        return answer(c, READ_ONLY);
      }),
    only(path, allow) {
      const error = new BackworksError(
        'BW_ROUTE_METHOD',
        `This path of the admin API accepts only ${allow}.`,
      );
      app.all(path, (c) => answer(c, error, { allow }));
    },
    plugin(name, worker) {
      const found = status(worker).plugins.find((candidate) => candidate.name === name);
      if (found !== undefined) return found;
      throw new BackworksError('BW_ROUTE_NOT_FOUND', `No plugin is named ${JSON.stringify(name)}.`);
    },
  };
  addProbes(app, parts);
  addViews(app, parts);
  addActions(app, parts);
  addVersionRoutes(app, { ...parts, control });
  addReload(app, parts);
  app.notFound((c) => answer(c, new BackworksError('BW_ROUTE_NOT_FOUND', 'The admin API has no such path.')));
  app.onError((thrown, c) => answer(c, thrown));
  return app;
}

function addProbes(app: Hono, { options, refresh, only }: RouteParts): void {
  app.get('/healthz', (c) => c.json({ status: 'ok', version: options.version }));
  app.get('/readyz', async (c) => {
    await refresh();
    const { plugins, draining, starting = false } = options.status();
    const document = readiness(plugins, { draining, starting });
    return c.json(document, document.status === 'ready' ? 200 : 503);
  });
  for (const path of PROBES) only(path, 'GET, HEAD');
}

function addViews(app: Hono, { options, refresh, permit, only, plugin }: RouteParts): void {
  const { status, metrics } = options;
  for (const path of VIEWS) {
    permit(path, 'read');
    app.use(path, async (_c, next) => {
      await refresh();
      await next();
    });
  }
  addProcessMetrics(metrics.registry);
  addPluginGauges(metrics.registry, () => status().plugins);
  app.get('/metrics', async (c) =>
    c.body(await metrics.text(), 200, { 'content-type': metrics.registry.contentType }),
  );
  /** The `worker` of the query. @throws BackworksError BW_ROUTE_NOT_FOUND when there is no such worker */
  const wantedWorker = (c: Context): number | undefined => {
    const text = c.req.query('worker');
    if (text === undefined) return undefined;
    const found = status().workers?.find(({ worker }) => String(worker) === text);
    if (found !== undefined) return found.worker;
    throw new BackworksError('BW_ROUTE_NOT_FOUND', `No worker has the number ${JSON.stringify(text)}.`);
  };
  app.get('/plugins', (c) => c.json(pluginsDocument(options, wantedWorker(c))));
  app.get('/plugins/:name', (c) => c.json(pluginDocument(plugin(c.req.param('name'), wantedWorker(c)))));
  for (const path of VIEWS) only(path, 'GET, HEAD');
}

function addActions(app: Hono, { options, refresh, permit, only, plugin }: RouteParts): void {
  const { control } = options;
  for (const action of ACTIONS) {
    const path = `/plugins/:name/${action}` as const;
    permit(path, 'control');
    app.post(path, async (c) => {
      const { name } = plugin(c.req.param('name'));
      await control[action](name, { force: booleanQuery(c, 'force') });
      await refresh();
      return c.json(pluginDocument(plugin(name)));
    });
    only(path, 'POST');
  }

  // By name only: the holder of the token must not be able to load arbitrary files.
  permit(LOAD, 'control');
  app.post(LOAD, async (c) => {
    const name = await control.load(c.req.param('name'));
    await refresh();
    return c.json(pluginDocument(plugin(name)));
  });
  only(LOAD, 'POST');
}

function addReload(app: Hono, { options, permit, only }: RouteParts): void {
  permit(RELOAD, 'control');
  app.post(RELOAD, async (c) => {
    return c.json(reloadDocument(await options.control.reload({ dryRun: booleanQuery(c, 'dry_run') })));
  });
  only(RELOAD, 'POST');
}

/** Reads a boolean of the query. @throws BackworksError BW_REQUEST_INVALID */
function booleanQuery(c: Context, name: string): boolean {
  const value = c.req.query(name) ?? 'false';
  if (value === 'true' || value === 'false') return value === 'true';
  throw new BackworksError('BW_REQUEST_INVALID', `${name} must be true or false`);
}

const NO_TOKEN = new BackworksError('BW_ADMIN_UNAUTHORIZED', 'A valid bearer token is missing.');
const READ_ONLY = new BackworksError('BW_ADMIN_FORBIDDEN', 'This token allows reading only.');

function pluginsDocument(
  { status, version, configFile = null }: AdminOptions,
  worker: number | undefined,
): PluginsDocument {
  const { plugins, rejected, startedAt, workers = [] } = status(worker);
  return {
    version,
    started_at: startedAt.toISOString(),
    config_file: configFile,
    workers: workers.map(workerDocument),
    plugins: plugins.map(pluginDocument),
    rejected: rejected.map(({ path, code, reason, hint }) => ({ path, code, reason, hint })),
  };
}
