import type { Backworks } from '../../backworks.js';
import type { BackworksConfig, LoggingConfig } from '../../config/types.js';
import type { Log } from '../../log.js';
import { pluginDocument } from '../../admin/plugin-document.js';
import { connectable } from '../command/address.js';
import type { CommandContext } from '../command/command.js';
import { failingOpen, failOpenSentence } from '../command/fail-open.js';
import { isReadable } from '../terminal/logger.js';
import { printPlugins } from '../terminal/plugin-table.js';

export interface Announcement {
  readonly config: BackworksConfig;
  readonly backworks: Pick<Backworks, 'plugins' | 'rejected'>;
  readonly address: Awaited<ReturnType<Backworks['start']>>;
  readonly log: Log;
  readonly logging: LoggingConfig;
  readonly context: Pick<CommandContext, 'out' | 'err'>;
}

/**
 * Announces that the server is listening: as plain lines on a terminal, otherwise in the log. A generated
 * token always goes to stderr, because logs are stored and forwarded.
 */
export function announce(announcement: Announcement): void {
  const { address, context, logging } = announcement;
  const person = context.err.terminal;
  if (person) showPerson(announcement);
  if (!person || !isReadable(logging.format, context.out)) writeLog(announcement);
  if (address.adminToken !== null) {
    context.err.line(`admin token (generated, until the server stops): ${address.adminToken}`);
  }
}

function showPerson({ config, backworks, address, context: { err } }: Announcement): void {
  err.line(`listening on ${err.style('bold', address.url)}${sharedBy(config)}`);
  if (address.adminUrl !== null) err.line(`admin API on ${address.adminUrl}`);
  printPlugins(err, backworks.plugins().map(pluginDocument), backworks.rejected(), 'summary');
  const open = failingOpen(backworks.plugins());
  if (open.length > 0) err.line(err.style('dim', failOpenSentence(open)));
  const attempt = tryLine(config, address.url);
  if (attempt !== null) err.line(err.style('green', attempt));
}

function writeLog({ config, backworks, address, log }: Announcement): void {
  const plugins = backworks
    .plugins()
    .map(({ name, version, state, reason }) => ({ name, version, state, reason }));
  const { workers } = config.server;
  const fields = workers === 1 ? { url: address.url, plugins } : { url: address.url, workers, plugins };
  log.info(fields, `listening on ${address.url}${sharedBy(config)}`);
  if (address.adminUrl !== null) log.info({ url: address.adminUrl }, `admin API on ${address.adminUrl}`);
  const open = failingOpen(backworks.plugins());
  if (open.length > 0) log.info({ plugins: open }, failOpenSentence(open));
  const attempt = tryLine(config, address.url);
  if (attempt !== null) log.info({}, attempt);
}

function sharedBy({ server: { workers } }: BackworksConfig): string {
  return workers === 1 ? '' : ` with ${workers} workers`;
}

/**
 * A curl command for a first request, if an endpoint has a path without parameters.
 * @internal exported for its test
 */
export function tryLine(config: Pick<BackworksConfig, 'endpoints'>, url: string): string | null {
  const endpoint = config.endpoints.find(
    ({ path, methods }) => /^[^{}*]+$/.test(path) && (methods.length === 0 || methods.includes('GET')),
  );
  return endpoint === undefined ? null : `try: curl ${quoted(connectable(url) + endpoint.path)}`;
}

/** Quotes a text that a shell or curl's globbing would change. */
function quoted(text: string): string {
  return /^[\w\-./:~]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
