import type { BackworksConfig } from '../config/types.js';
import { BackworksError, type ErrorCode, ERRORS } from '../errors.js';
import type { PluginsDocument } from '../admin/admin.js';
import { CLI_AGENT } from '../admin/version-routes.js';
import { connectable, httpUrl } from './address.js';

/** How long a server of this machine may take to answer. */
const ANSWER_MS = 2_000;
/** The same when a plugin has to be loaded and initialized first. */
const START_MS = 60_000;
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

export type AdminAnswer =
  | { readonly kind: 'plugins'; readonly document: PluginsDocument }
  /** No server of this configuration can be asked; says why. */
  | { readonly kind: 'none'; readonly why: string };

/** Asks the server that runs this configuration for its plugins. Never rejects. */
export async function askServer({ admin, file }: BackworksConfig): Promise<AdminAnswer> {
  if (!admin.enabled) return { kind: 'none', why: 'the admin API is disabled in the configuration' };
  if (admin.port === 0)
    return { kind: 'none', why: 'admin.port is 0, so a server would be at an unknown port' };
  const url = connectable(httpUrl(admin.host, admin.port));
  const token = admin.token === '' ? admin.readToken : admin.token;
  if (token === '') {
    return { kind: 'none', why: 'admin.token is not set, so a server could not be asked' };
  }
  try {
    const response = await send(`${url}/plugins`, token);
    if (response.status === 401) return { kind: 'none', why: `the server at ${url} has another admin token` };
    const document = response.ok ? readDocument(await response.text()) : null;
    if (document === null)
      return { kind: 'none', why: `what answers at ${url} is not a Backworks admin API` };
    if (document.config_file !== file) {
      return { kind: 'none', why: `the server at ${url} runs another configuration` };
    }
    return { kind: 'plugins', document };
  } catch (error) {
    return { kind: 'none', why: `no server answers at ${url} (${reason(error)})` };
  }
}

/**
 * Has the server, which answered askServer(), do something.
 * @param path of the admin API
 * @throws BackworksError what the server says is in the way
 */
export async function actOnServer<Answer>({ admin }: BackworksConfig, path: string): Promise<Answer> {
  const url = connectable(httpUrl(admin.host, admin.port));
  let response: Response;
  let answer: Answer & { code: string; detail: string; hint?: string };
  try {
    response = await send(url + path, admin.token, 'POST', START_MS);
    answer = JSON.parse(await response.text()) as typeof answer;
  } catch (cause) {
    const message = `the server at ${url} did not answer (${reason(cause)})`;
    throw new BackworksError('BW_PLUGIN_UNAVAILABLE', message, { cause });
  }
  if (response.ok) return answer;
  const code = Object.hasOwn(ERRORS, answer.code) ? (answer.code as ErrorCode) : 'BW_INTERNAL';
  throw new BackworksError(code, `the server at ${url} says: ${answer.detail}`, { hint: answer.hint });
}

/**
 * Makes sure that a server of this configuration answers and can be told to do something.
 * @throws BackworksError BW_SERVER_UNREACHABLE saying why not
 */
export async function requireServer(config: BackworksConfig): Promise<PluginsDocument> {
  const answer = await askServer(config);
  const hint = 'start it, or give the configuration, environment and values it was started with';
  if (answer.kind === 'none') throw new BackworksError('BW_SERVER_UNREACHABLE', answer.why, { hint });
  if (config.admin.token !== '') return answer.document;
  const why = 'admin.token is not set, so the server cannot be told';
  throw new BackworksError('BW_SERVER_UNREACHABLE', why, {
    hint: 'set it, or send the server SIGHUP to reload',
  });
}

function send(url: string, token: string, method = 'GET', timeoutMs = ANSWER_MS): Promise<Response> {
  return fetch(url, {
    method,
    headers: { authorization: `Bearer ${token}`, 'user-agent': CLI_AGENT },
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  });
}

function readDocument(text: string): PluginsDocument | null {
  if (text.length > ANSWER_BYTES_MAX) return null;
  const value = JSON.parse(text) as Partial<PluginsDocument> | null;
  return Array.isArray(value?.plugins) && Array.isArray(value.rejected) ? (value as PluginsDocument) : null;
}

/** fetch() hides what happened in the cause. */
function reason(error: unknown): string {
  const { cause, name } = error as { cause?: { code?: unknown }; name?: string };
  return typeof cause?.code === 'string' ? cause.code : (name ?? 'failed');
}
