import { randomUUID } from 'node:crypto';
import { type Context, Hono } from 'hono';
import { collectDefaultMetrics } from 'prom-client';
import { BackworksError } from '../errors.js';
import type { PluginMetrics } from '../execution/metrics.js';
import { type Log, silentLog } from '../log.js';
import type { PluginStatus, RejectedLibrary } from '../plugins/status.js';
import { bearerTokenCheck } from './bearer-token.js';
import { type PluginDocument, pluginDocument } from './plugin-document.js';
import { problemResponse } from './problem.js';
import { readiness } from './readiness.js';

export interface AdminStatus {
  readonly plugins: readonly PluginStatus[];
  readonly rejected: readonly RejectedLibrary[];
  readonly draining: boolean;
  /** True until every plugin was tried once; absent when the API opens only after that. */
  readonly starting?: boolean;
  readonly startedAt: Date;
}

export interface AdminOptions {
  /** The server at this moment. */
  readonly status: () => AdminStatus;
  readonly metrics: PluginMetrics;
  /** Bearer token for everything but the probes; never empty. */
  readonly token: string;
  readonly version: string;
  /** Tells servers on one port apart: absolute path of the configuration file. */
  readonly configFile?: string | null;
  readonly log?: Log;
}

/** The answer of GET /plugins. */
export interface PluginsDocument {
  version: string;
  started_at: string;
  config_file: string | null;
  plugins: PluginDocument[];
  rejected: { path: string; code: string; reason: string; hint: string | null }[];
}

/**
 * Probes, metrics and plugin states for operators, on a port of their own. /healthz and /readyz are
 * open, the rest needs the token. There are no CORS headers: browsers of other origins read nothing.
 */
export function createAdminApp(options: AdminOptions): Hono {
  const { status, metrics, log = silentLog } = options;
  const app = new Hono();

  app.use(async (c, next) => {
    await next();
    c.header('cache-control', 'no-store');
  });

  const answer = (c: Context, thrown: unknown, headers: Record<string, string> = {}): Response => {
    const response = problemResponse(thrown, c.req.path, randomUUID(), log);
    for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
    return response;
  };

  const mayRead = bearerTokenCheck(options.token);
  for (const path of ['/metrics', '/plugins', '/plugins/:name']) {
    app.use(path, async (c: Context, next) => {
      if (mayRead(c.req.header('authorization'))) return next();
      const error = new BackworksError('BW_ADMIN_UNAUTHORIZED', 'A valid bearer token is missing.');
      return answer(c, error, { 'www-authenticate': 'Bearer realm="backworks admin"' });
    });
  }

  app.get('/healthz', (c) => c.json({ status: 'ok', version: options.version }));

  app.get('/readyz', (c) => {
    const { plugins, draining, starting = false } = status();
    const document = readiness(plugins, { draining, starting });
    return c.json(document, document.status === 'ready' ? 200 : 503);
  });

  addProcessMetrics(metrics);
  app.get('/metrics', async (c) =>
    c.body(await metrics.text(), 200, { 'content-type': metrics.registry.contentType }),
  );

  app.get('/plugins', (c) => c.json(pluginsDocument(options)));

  app.get('/plugins/:name', (c) => {
    const name = c.req.param('name');
    const plugin = status().plugins.find((candidate) => candidate.name === name);
    if (plugin !== undefined) return c.json(pluginDocument(plugin));
    return answer(c, new BackworksError('BW_ROUTE_NOT_FOUND', `No plugin is named ${JSON.stringify(name)}.`));
  });

  for (const path of ['/healthz', '/readyz', '/metrics', '/plugins', '/plugins/:name']) {
    app.all(path, (c) =>
      answer(c, new BackworksError('BW_ROUTE_METHOD', 'The admin API only takes GET.'), {
        allow: 'GET, HEAD',
      }),
    );
  }
  app.notFound((c) => answer(c, new BackworksError('BW_ROUTE_NOT_FOUND', 'The admin API has no such path.')));
  app.onError((thrown, c) => answer(c, thrown));
  return app;
}

function pluginsDocument({ status, version, configFile = null }: AdminOptions): PluginsDocument {
  const { plugins, rejected, startedAt } = status();
  return {
    version,
    started_at: startedAt.toISOString(),
    config_file: configFile,
    plugins: plugins.map(pluginDocument),
    rejected: rejected.map(({ path, code, reason, hint }) => ({ path, code, reason, hint })),
  };
}

/** CPU, memory and event-loop lag of this process, beside the plugins' numbers; once per registry. */
function addProcessMetrics({ registry }: PluginMetrics): void {
  if (registry.getSingleMetric('process_cpu_user_seconds_total') !== undefined) return;
  collectDefaultMetrics({ register: registry });
}
