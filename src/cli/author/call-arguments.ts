import { readFile } from 'node:fs/promises';
import { isUtf8 } from 'node:buffer';
import type { CallWish } from '../../authoring/hook-call.js';
import { BackworksError } from '../../errors.js';

/** The options of `plugin call` that say what is sent. */
export interface CallArguments {
  readonly data?: string;
  readonly method?: string;
  readonly path?: string;
  readonly route?: string;
  readonly header?: readonly string[];
  readonly status: string;
  readonly context?: string;
}

const HOOKS = ['before_request', 'process_endpoint', 'after_response'] as const;
const FUNCTIONS = [...HOOKS, 'operation'] as const;

/**
 * @param operation the name after `operation`
 * @throws BackworksError BW_USAGE when an argument cannot be used
 */
export async function readCall(
  hook: string,
  operation: string | undefined,
  given: CallArguments,
): Promise<CallWish> {
  const named = FUNCTIONS.find((name) => name === hook);
  if (named === undefined) {
    throw new BackworksError('BW_USAGE', `${JSON.stringify(hook)} is not a hook`, {
      hint: `give one of ${HOOKS.join(', ')}, or operation and its name`,
    });
  }
  if ((named === 'operation') !== (operation !== undefined)) {
    const what =
      operation === undefined ? 'operation needs the name of an operation' : `${hook} needs no name`;
    throw new BackworksError('BW_USAGE', what, { hint: 'such as: plugin call LIB operation weather.lookup' });
  }
  const body = given.data === undefined ? null : await readData(given.data);
  return {
    hook: named,
    operation: operation ?? null,
    method: given.method === undefined ? null : methodOf(given.method),
    target: given.path === undefined ? null : targetOf('--path', given.path),
    route: given.route === undefined ? null : targetOf('--route', given.route),
    headers: withContentType((given.header ?? []).map(headerOf), body),
    body,
    status: statusOf(given.status),
    context: given.context ?? null,
  };
}

/** @throws BackworksError BW_USAGE when the file or standard input cannot be read */
async function readData(data: string): Promise<Buffer> {
  if (data === '-') {
    const parts: Buffer[] = [];
    for await (const part of process.stdin) parts.push(part as Buffer);
    return Buffer.concat(parts);
  }
  if (!data.startsWith('@')) return Buffer.from(data);
  try {
    return await readFile(data.slice(1));
  } catch (cause) {
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
    throw new BackworksError('BW_USAGE', `${data.slice(1)} cannot be read (${code})`, { cause });
  }
}

function withContentType(headers: [string, string][], body: Buffer | null): [string, string][] {
  if (body === null || headers.some(([name]) => name === 'content-type')) return headers;
  return [...headers, ['content-type', typeOf(body)]];
}

function typeOf(body: Buffer): string {
  if (!isUtf8(body)) return 'application/octet-stream';
  try {
    JSON.parse(body.toString());
    return 'application/json';
  } catch {
    return 'text/plain; charset=utf-8';
  }
}

function headerOf(text: string): [string, string] {
  const [, name, value] = /^([\w!#$%&'*+.^`|~-]+):[ \t]*(.*)$/.exec(text) ?? [];
  if (name !== undefined && value !== undefined) return [name.toLowerCase(), value.trim()];
  throw new BackworksError('BW_USAGE', `--header expects "name: value", not ${JSON.stringify(text)}`);
}

function methodOf(text: string): string {
  if (/^[A-Z]{1,20}$/.test(text)) return text;
  throw new BackworksError('BW_USAGE', `--method expects a method such as POST, not ${JSON.stringify(text)}`);
}

function targetOf(option: string, text: string): string {
  if (/^\/[^\s#]*$/.test(text)) return text;
  const message = `${option} expects a path that starts with "/", not ${JSON.stringify(text)}`;
  throw new BackworksError('BW_USAGE', message);
}

function statusOf(text: string): number {
  const status = Number(text);
  if (Number.isInteger(status) && status >= 200 && status <= 599) return status;
  throw new BackworksError(
    'BW_USAGE',
    `--status expects a number from 200 to 599, not ${JSON.stringify(text)}`,
  );
}
