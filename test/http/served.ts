import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { EndpointConfig } from '../../dist/config/types.js';
import { silentLog } from '../../dist/log.js';
import { PluginOrchestrator } from '../../dist/pipeline/orchestrator.js';
import type { BackworksPlugin } from '../../dist/plugins/plugin.js';
import { createApp, prepareRoutes } from '../../dist/http/app.js';
import { type Listener, listen } from '../../dist/http/listen.js';

export const BODY_LIMIT = 64 * 1024;

export function appOf(
  endpoints: EndpointConfig[],
  plugins: BackworksPlugin[] = [],
  bodyLimitBytes = BODY_LIMIT,
  bodyTimeoutMs = 30_000,
) {
  const orchestrator = new PluginOrchestrator({
    bodyLimitBytes,
    bodyTimeoutMs,
    offersUnmatched: () => true,
    log: silentLog,
  });
  void orchestrator.setPlugins(plugins);
  const routes = prepareRoutes(endpoints, orchestrator);
  return createApp({ routes: () => routes, orchestrator, log: silentLog });
}

/** Serves an app on a free port while `use` runs. */
export async function served<T>(
  app: ReturnType<typeof appOf>,
  use: (listener: Listener) => Promise<T>,
): Promise<T> {
  const listener = await listen(app, { host: '127.0.0.1', port: 0 });
  try {
    return await use(listener);
  } finally {
    await listener.close({ timeoutMs: 0 });
  }
}

/** Runs a plain Node server on a free port while `use` runs. */
export async function upstream<T>(
  handler: http.RequestListener,
  use: (url: string) => Promise<T>,
): Promise<T> {
  const server = http.createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
}

/** Sends one request exactly as given, on its own connection; fetch() would normalize it. */
export function ask(url: string, options: http.RequestOptions = {}, body?: string | Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { agent: false, ...options }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}

export function problemOf({ body }: Answer): Record<string, unknown> {
  return JSON.parse(body.toString()) as Record<string, unknown>;
}
