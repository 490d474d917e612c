import http from 'node:http';
import https from 'node:https';
import { text } from 'node:stream/consumers';
import type { BackworksConfig } from '../../config/types.js';
import { BackworksError, type ErrorCode, ERRORS } from '../../errors.js';
import type { PluginsDocument } from '../../admin/admin.js';
import { CLI_AGENT } from '../../admin/version-routes.js';
import { connectable, httpUrl } from '../command/address.js';

/** Time limit for an answer of a local server. */
const ANSWER_MS = 2_000;
/** Time limit for an answer when the server first has to load and initialize a plugin. */
const START_MS = 60_000;
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

/** The admin API that a command uses. */
export interface AdminTarget extends Pick<BackworksConfig, 'admin'> {
  /** URL from --url or BACKWORKS_ADMIN_URL. When absent, the host and port of `admin` apply. */
  readonly url?: string;
  /** Configuration file that the server must be running; null accepts any. */
  readonly file: string | null;
}

export type AdminAnswer =
  | { readonly kind: 'plugins'; readonly document: PluginsDocument }
  /** No usable server was found. @property why the reason */
  | { readonly kind: 'none'; readonly why: string };

/** Asks the server of this configuration for its plugins. Never rejects. */
export async function askServer(target: AdminTarget): Promise<AdminAnswer> {
  const { admin, file } = target;
  const obstacle = obstacleOf(target);
  if (obstacle !== null) return { kind: 'none', why: obstacle };
  const url = urlOf(target);
  const token = admin.token === '' ? admin.readToken : admin.token;
  try {
    const response = await send(`${url}/plugins`, token);
    if (response.status === 401)
      return { kind: 'none', why: `the server at ${url} does not accept this admin token` };
    const document = response.ok ? readDocument(response.body) : null;
    if (document === null) return { kind: 'none', why: `the program at ${url} is not a Backworks admin API` };
    if (target.url === undefined && document.config_file !== file) {
      return { kind: 'none', why: `the server at ${url} runs another configuration` };
    }
    return { kind: 'plugins', document };
  } catch (error) {
    return { kind: 'none', why: `no server answers at ${url} (${reason(error)})` };
  }
}

/** Why no server can be asked; null when one can. */
function obstacleOf({ url, admin }: AdminTarget): string | null {
  const hasToken = admin.token !== '' || admin.readToken !== '';
  if (url !== undefined) return hasToken ? null : 'neither --token nor BACKWORKS_ADMIN_TOKEN is given';
  if (!admin.enabled) return 'the admin API is disabled in the configuration';
  if (admin.port === 0) return 'admin.port is 0, so the port of a running server is unknown';
  return hasToken ? null : 'admin.token is not set, so a server would not accept the request';
}

function urlOf({ url, admin }: AdminTarget): string {
  return url ?? connectable(httpUrl(admin.host, admin.port));
}

/**
 * Sends an action to the server. Call askServer() first.
 * @param path path in the admin API
 * @throws BackworksError with the server's reason for the refusal
 */
export async function actOnServer<Answer>(target: AdminTarget, path: string): Promise<Answer> {
  const url = urlOf(target);
  return answerOf<Answer>(url, () => send(url + path, target.admin.token, 'POST', START_MS));
}

/**
 * Checks that a server of this configuration answers and that the token allows control.
 * @throws BackworksError BW_SERVER_UNREACHABLE with the reason
 */
export async function requireServer(target: AdminTarget): Promise<PluginsDocument> {
  const document = await requireReader(target);
  if (target.admin.token !== '') return document;
  const why = 'admin.token is not set, so the server would not accept the request';
  throw new BackworksError('BW_SERVER_UNREACHABLE', why, {
    hint: 'set it, or send the server SIGHUP to reload',
  });
}

/** Checks that a server answers. @throws BackworksError BW_SERVER_UNREACHABLE with the reason */
export async function requireReader(target: AdminTarget): Promise<PluginsDocument> {
  const answer = await askServer(target);
  const hint =
    target.url === undefined
      ? 'start the server, pass the configuration, environment and values that it was started with, or pass --url and --token'
      : 'start the server, or correct --url and --token';
  if (answer.kind === 'none') throw new BackworksError('BW_SERVER_UNREACHABLE', answer.why, { hint });
  return answer.document;
}

/** What a server answered. */
interface Answered {
  readonly status: number;
  readonly ok: boolean;
  readonly body: string;
}

/** Sends a request. Not with fetch(): it refuses the ports that browsers refuse, such as 6000. */
function send(url: string, token: string, method = 'GET', timeoutMs = ANSWER_MS): Promise<Answered> {
  const { request } = url.startsWith('https:') ? https : http;
  const headers = { authorization: `Bearer ${token}`, 'user-agent': CLI_AGENT, 'content-length': '0' };
  const signal = AbortSignal.timeout(timeoutMs);
  return new Promise((resolve, reject) => {
    request(url, { method, headers, signal, agent: false }, (response) => {
      const { statusCode: status = 0 } = response;
      const answered = (body: string): void => resolve({ status, ok: status >= 200 && status < 300, body });
      text(response).then(answered, reject);
    })
      .on('error', reject)
      .end();
  });
}

function readDocument(text: string): PluginsDocument | null {
  if (text.length > ANSWER_BYTES_MAX) return null;
  let value: Partial<PluginsDocument> | null;
  try {
    value = JSON.parse(text) as typeof value;
  } catch {
    return null;
  }
  return Array.isArray(value?.plugins) && Array.isArray(value.rejected) ? (value as PluginsDocument) : null;
}

/** A request that took too long is aborted, with the time limit as its cause. */
function reason(error: unknown): string {
  const { cause, code, name } = error as NodeJS.ErrnoException & { cause?: { name?: string } };
  return cause?.name ?? code ?? name;
}

/**
 * Reads a document from the server. Call askServer() first. @throws BackworksError with the reason for a
 * failure
 */
export async function readFromServer<Answer>(target: AdminTarget, path: string): Promise<Answer> {
  const { token, readToken } = target.admin;
  return answerOf<Answer>(urlOf(target), () => send(urlOf(target) + path, token === '' ? readToken : token));
}

async function answerOf<Answer>(url: string, ask: () => Promise<Answered>): Promise<Answer> {
  let response: Answered;
  let answer: Answer & { code: string; detail: string; hint?: string };
  try {
    response = await ask();
    answer = JSON.parse(response.body) as typeof answer;
  } catch (cause) {
    const message = `the server at ${url} did not answer (${reason(cause)})`;
    throw new BackworksError('BW_PLUGIN_UNAVAILABLE', message, { cause });
  }
  if (response.ok) return answer;
  const code = Object.hasOwn(ERRORS, answer.code) ? (answer.code as ErrorCode) : 'BW_INTERNAL';
  throw new BackworksError(code, `the server at ${url} says: ${answer.detail}`, { hint: answer.hint });
}
