import { resolve } from 'node:path';
import { unbracketed } from '../source/host.js';
import type { CheckedFile } from '../schema/checked-file.js';
import { endpointContradictions } from './endpoints.js';
import { withoutCredentials } from '../schema/explain.js';
import { below, isWithin, type Pointer, quote } from '../source/pointer.js';
import { reservedPathContradictions } from './reserved-paths.js';
import { pluginContradictions } from './plugins.js';
import { serverContradictions } from './server.js';
import type { ProblemReport } from '../source/problems.js';
import type { RawConfig } from '../schema/raw.js';
import type { Source } from '../source/source.js';

/** Headers of the connection, which fetch() refuses to send, and headers that describe the content. */
const OWN_HEADERS =
  /^(content-length|content-type|connection|expect|host|keep-alive|te|trailer|transfer-encoding|upgrade)$/i;

/**
 * Reports mistakes that a schema cannot express. Skips entries in which the schema already found a mistake.
 */
export function reportContradictions(
  source: Source,
  { directory, file: path }: { readonly directory: string; readonly file?: string | undefined },
  broken: readonly Pointer[],
  report: ProblemReport,
): void {
  const isInvalid = (pointer: Pointer): boolean =>
    broken.some((other) => isWithin(pointer, other)) || source.isUnresolved(pointer);
  if (isInvalid('')) return;
  const file: CheckedFile = {
    raw: source.value as unknown as RawConfig,
    directory,
    path: path === undefined ? null : resolve(directory, path),
    isBroken: (pointer) =>
      isInvalid(pointer) || source.hasUnresolved(pointer) || broken.some((other) => isWithin(other, pointer)),
    isInvalid,
    show: (pointer, text) => source.origin(pointer) ?? quote(withoutCredentials(text)),
    reject: (pointer, finding) =>
      report.add('BW_CONFIG_INVALID', pointer, source.valuePosition(pointer), finding),
    rejectEntry: (pointer, finding) =>
      report.add('BW_CONFIG_INVALID', pointer, source.keyPosition(pointer), finding),
    isHidden: (pointer) => source.origin(pointer) !== undefined,
    isGiven: (pointer) => source.isGiven(pointer),
  };
  serverContradictions(file);
  adminContradictions(file);
  alertContradictions(file);
  pluginContradictions(file);
  reservedPathContradictions(file);
  endpointContradictions(file);
}

function adminContradictions(file: CheckedFile): void {
  if (file.isBroken('/admin')) return;
  const { server, admin } = file.raw;
  if (admin.read_token !== '' && admin.read_token === admin.token) {
    const hint = 'with the same token, read access would include control; choose another token';
    file.reject('/admin/read_token', { message: 'admin.token has the same value', hint });
  }
  if (file.isBroken('/server')) return;
  const hosts = [unbracketed(server.host), unbracketed(admin.host)] as const;
  const sameHost = hosts[0] === hosts[1] || hosts.some(isEveryAddress);
  if (admin.enabled && sameHost && admin.port === server.port && admin.port !== 0) {
    file.reject('/admin/port', {
      message: 'server.port already uses this port',
      hint: 'choose another port',
    });
  }
}

function alertContradictions(file: CheckedFile): void {
  if (file.isBroken('/alerts')) return;
  const { webhook, headers } = file.raw.alerts;
  // Neither value is shown: either can contain the secret of the webhook.
  if (webhook !== '' && !isWebhook(webhook)) {
    const message = 'this must be an http or https URL without a user name';
    file.reject('/alerts/webhook', { message, hint: 'put credentials into alerts.headers' });
  }
  const reserved = Object.keys(headers).filter((name) => OWN_HEADERS.test(name));
  for (const name of reserved) {
    file.reject(below('/alerts/headers', name), {
      message: 'the server sets this header',
      hint: 'remove it',
    });
  }
}

function isWebhook(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return (protocol === 'http:' || protocol === 'https:') && username === '' && password === '';
}

const isEveryAddress = (host: string): boolean => host === '0.0.0.0' || host === '::';
