import type { BackworksConfig, EndpointConfig } from '../../config/types.js';
import { EXIT } from '../../errors.js';
import type { PluginStatus } from '../../lifecycle/entry/status.js';
import type { CommandContext, ExitCode } from '../command/command.js';
import { readConfig } from '../command/config-file.js';
import { printJson, printTable } from '../terminal/print.js';

/** What happens to the requests of one endpoint. Null stands for requests that no endpoint matches. */
interface Route {
  readonly endpoint: string | null;
  readonly methods: readonly string[];
  readonly path: string | null;
  /** Plugins whose before_request runs, in this order. */
  readonly before: readonly string[];
  readonly answer: string;
  /** Plugins whose after_response runs, in this order. */
  readonly after: readonly string[];
}

/** `backworks config print --routes`: what each request passes, in order. The libraries are described, none starts. */
export async function configRoutes(context: CommandContext, file: string | undefined): Promise<ExitCode> {
  const { config } = await readConfig(context, file);
  const routes = routesOf(config, await describedPlugins(config, context));
  if (context.json) printJson(context.out, { routes });
  else
    printTable(context.out, routes, {
      columns: [
        { title: 'endpoint', text: ({ endpoint }) => endpoint ?? '(any other)', style: () => 'bold' },
        { title: 'methods', text: ({ methods }) => methods.join(',') || 'all', rank: 1 },
        { title: 'path', text: ({ path }) => path ?? '*' },
        { title: 'before', text: ({ before }) => before.join(' → ') || '-' },
        { title: 'answer', text: ({ answer }) => answer },
        { title: 'after', text: ({ after }) => after.join(' → ') || '-' },
      ],
      note: { title: '', text: () => '' },
    });
  return EXIT.ok;
}

/** The plugins in the order in which requests pass them. */
async function describedPlugins(
  config: BackworksConfig,
  { env }: CommandContext,
): Promise<readonly PluginStatus[]> {
  if (config.plugins.length === 0 && !config.autoDiscover.enabled) return [];
  const { createBackworks } = await import('../../backworks.js');
  const backworks = createBackworks(config, { environment: env });
  try {
    await backworks.inspect();
    return backworks
      .plugins()
      .filter(({ order }) => order !== null)
      .sort((a, b) => Number(a.order) - Number(b.order));
  } finally {
    await backworks.stop();
  }
}

function routesOf(config: BackworksConfig, plugins: readonly PluginStatus[]): Route[] {
  const passed = (endpoint: EndpointConfig | null) => {
    const listed = new Set(endpoint?.hooks.map(({ plugin }) => plugin));
    const applying = plugins.filter(({ hookScope, name }) => hookScope === 'all' || listed.has(name));
    const having = (hook: 'before_request' | 'after_response'): string[] =>
      applying.filter(({ hooks }) => hooks.includes(hook)).map(({ name }) => name);
    return { before: having('before_request'), after: having('after_response').reverse() };
  };
  const named = config.endpoints.map((endpoint) => {
    const { name, methods, path } = endpoint;
    return { endpoint: name, methods, path, answer: answerOf(endpoint), ...passed(endpoint) };
  });
  const other = { endpoint: null, methods: [], path: null, answer: `unmatched: ${config.server.unmatched}` };
  return [...named, { ...other, ...passed(null) }];
}

function answerOf({ target }: EndpointConfig): string {
  switch (target.kind) {
    case 'plugin':
      return `plugin ${target.plugin}`;
    case 'static':
      return `response ${target.response.status}`;
    case 'proxy':
      return `proxy ${target.targets.map(({ url }) => url).join(', ')}`;
    case 'files':
      return `files of ${target.files.directory}`;
    case 'redirect':
      return `redirect ${target.redirect.to}`;
    case 'any-plugin':
      return 'plugins in order';
  }
}
