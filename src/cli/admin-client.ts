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

/** The admin API a command asks. */
export interface AdminTarget extends Pick<BackworksConfig, 'admin'> {
  /** Where it was given; else host and port of `admin` say so. */
  readonly url?: string;
  /** Configuration file the server is to run; null for whichever it runs. */
  readonly file: string | null;
}

export type AdminAnswer =
  | { readonly kind: 'plugins'; readonly document: PluginsDocument }
  /** No server of this configuration can be asked; says why. */
  | { readonly kind: 'none'; readonly why: string };

/** Asks the server that runs this configuration for its plugins. Never rejects. */
export async function askServer(target: AdminTarget): Promise<AdminAnswer> {
  const { admin, file } = target;
  const obstacle = obstacleOf(target);
  if (obstacle !== null) return { kind: 'none', why: obstacle };
  const url = urlOf(target);
  const token = admin.token === '' ? admin.readToken : admin.token;
  try {
    const response = await send(`${url}/plugins`, token);
    if (response.status === 401) return { kind: 'none', why: `the server at ${url} has another admin token` };
    const document = response.ok ? readDocument(await response.text()) : null;
    if (document === null)
      return { kind: 'none', why: `what answers at ${url} is not a Backworks admin API` };
    if (target.url === undefined && document.config_file !== file) {
      return { kind: 'none', why: `the server at ${url} runs another configuration` };
    }
    return { kind: 'plugins', document };
  } catch (error) {
    return { kind: 'none', why: `no server answers at ${url} (${reason(error)})` };
  }
}

/** Why a server cannot be asked; null when it can. */
function obstacleOf({ url, admin }: AdminTarget): string | null {
  const hasToken = admin.token !== '' || admin.readToken !== '';
  if (url !== undefined) return hasToken ? null : 'neither --token nor BACKWORKS_ADMIN_TOKEN is given';
  if (!admin.enabled) return 'the admin API is disabled in the configuration';
  if (admin.port === 0) return 'admin.port is 0, so a server would be at an unknown port';
  return hasToken ? null : 'admin.token is not set, so a server could not be asked';
}

function urlOf({ url, admin }: AdminTarget): string {
  return url ?? connectable(httpUrl(admin.host, admin.port));
}

/**
 * Has the server, which answered askServer(), do something.
 * @param path of the admin API
 * @throws BackworksError what the server says is in the way
 */
export async function actOnServer<Answer>(target: AdminTarget, path: string): Promise<Answer> {
  const url = urlOf(target);
  return answerOf<Answer>(url, () => send(url + path, target.admin.token, 'POST', START_MS));
}

/**
 * Makes sure that a server of this configuration answers and can be told to do something.
 * @throws BackworksError BW_SERVER_UNREACHABLE saying why not
 */
export async function requireServer(target: AdminTarget): Promise<PluginsDocument> {
  const document = await requireReader(target);
  if (target.admin.token !== '') return document;
  const why = 'admin.token is not set, so the server cannot be told';
  throw new BackworksError('BW_SERVER_UNREACHABLE', why, {
    hint: 'set it, or send the server SIGHUP to reload',
  });
}

/** Makes sure that a server answers. @throws BackworksError BW_SERVER_UNREACHABLE saying why not */
export async function requireReader(target: AdminTarget): Promise<PluginsDocument> {
  const answer = await askServer(target);
  const hint =
    target.url === undefined
      ? 'start it, or give the configuration, environment and values it was started with, or --url and --token'
      : 'start it, or correct --url and --token';
  if (answer.kind === 'none') throw new BackworksError('BW_SERVER_UNREACHABLE', answer.why, { hint });
  return answer.document;
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

/** Reads something of the server, which answered askServer(). @throws BackworksError what is in the way */
export async function readFromServer<Answer>(target: AdminTarget, path: string): Promise<Answer> {
  const { token, readToken } = target.admin;
  return answerOf<Answer>(urlOf(target), () => send(urlOf(target) + path, token === '' ? readToken : token));
}

async function answerOf<Answer>(url: string, ask: () => Promise<Response>): Promise<Answer> {
  let response: Response;
  let answer: Answer & { code: string; detail: string; hint?: string };
  try {
    response = await ask();
    answer = JSON.parse(await response.text()) as typeof answer;
  } catch (cause) {
    const message = `the server at ${url} did not answer (${reason(cause)})`;
    throw new BackworksError('BW_PLUGIN_UNAVAILABLE', message, { cause });
  }
  if (response.ok) return answer;
  const code = Object.hasOwn(ERRORS, answer.code) ? (answer.code as ErrorCode) : 'BW_INTERNAL';
  throw new BackworksError(code, `the server at ${url} says: ${answer.detail}`, { hint: answer.hint });
}
