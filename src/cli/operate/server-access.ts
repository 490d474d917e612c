import { ConfigError, loadAdmin } from '../../config/load/load.js';
import type { BackworksConfig } from '../../config/types.js';
import { BackworksError } from '../../errors.js';
import type { AdminTarget } from './admin-client.js';
import type { CommandContext } from '../command/command.js';
import { type ConfigRequest, requestConfig, readConfig } from '../command/config-file.js';

/** How a command reaches a running server. */
export interface ServerAccess {
  readonly target: AdminTarget;
  /** The whole configuration. Null when it was not read, or when variables of it are not set here. */
  readonly config: BackworksConfig | null;
  /** The configuration, for operations that cannot work without it. @throws BackworksError with the reason */
  readonly requireConfig: () => BackworksConfig;
}

/**
 * Finds the server of a command: the one at --url or BACKWORKS_ADMIN_URL, else the one that runs the
 * configuration. Only the admin block of the file must be complete: the secrets of plugins and endpoints
 * belong to the server and need not be set where a command runs.
 * @throws ConfigError. @throws BackworksError BW_CONFIG_NOT_FOUND, BW_USAGE
 */
export async function findServer(context: CommandContext): Promise<ServerAccess> {
  const token = context.token ?? (context.env['BACKWORKS_ADMIN_TOKEN'] || undefined);
  const url =
    context.url ??
    (context.config === undefined ? context.env['BACKWORKS_ADMIN_URL'] || undefined : undefined);
  if (url !== undefined) return remote(url, token ?? '');
  const withToken = (target: AdminTarget): AdminTarget =>
    token === undefined ? target : { ...target, admin: { ...target.admin, token } };
  try {
    const { config } = await readConfig(context);
    return { target: withToken(config), config, requireConfig: () => config };
  } catch (error) {
    if (!lacksVariables(error)) throw error;
    const target = await adminOf(await requestConfig(context), token === undefined);
    const requireConfig = (): never => {
      throw error;
    };
    return { target: withToken(target), config: null, requireConfig };
  }
}

function adminOf({ file, options }: ConfigRequest, withTokens: boolean): Promise<AdminTarget> {
  return loadAdmin(file, options, withTokens);
}

/** Whether unset variables are the only problems of a configuration. */
function lacksVariables(error: unknown): error is ConfigError {
  return error instanceof ConfigError && error.code === 'BW_CONFIG_VARIABLE';
}

function remote(text: string, token: string): ServerAccess {
  const admin = { enabled: true, host: '', port: 0, token, readToken: '', requestMetrics: false };
  const requireConfig = (): never => {
    throw new BackworksError(
      'BW_USAGE',
      'this command needs the configuration file, and --url does not provide one',
      {
        hint: 'run the command where the file is, with --config',
      },
    );
  };
  return { target: { url: adminUrl(text), admin, file: null }, config: null, requireConfig };
}

/** @throws BackworksError BW_USAGE */
function adminUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isPlain = url !== null && url.username === '' && url.search === '' && url.hash === '';
  if (isPlain && /^https?:$/.test(url.protocol)) return url.href.replace(/\/+$/, '');
  throw new BackworksError('BW_USAGE', `--url expects the URL of an admin API, not ${JSON.stringify(text)}`, {
    hint: 'such as http://127.0.0.1:8081',
  });
}
