import { type CheckedFile, checkSize } from './checked-file.js';
import { endpointContradictions } from './endpoint-contradictions.js';
import { withoutCredentials } from './explain.js';
import { isWithin, type Pointer, quote } from './pointer.js';
import { pluginContradictions } from './plugin-contradictions.js';
import type { ProblemReport } from './problems.js';
import type { RawConfig } from './raw.js';
import type { Source } from './source.js';

const BODY_BYTES_MAX = 1024 ** 3;

/** Reports what no schema can express. Entries the schema has already found wrong are left out. */
export function reportContradictions(
  source: Source,
  directory: string,
  broken: readonly Pointer[],
  report: ProblemReport,
): void {
  const isMisshapen = (pointer: Pointer): boolean =>
    broken.some((other) => isWithin(pointer, other)) || source.isUnresolved(pointer);
  if (isMisshapen('')) return;
  const file: CheckedFile = {
    raw: source.value as unknown as RawConfig,
    directory,
    isBroken: (pointer) =>
      isMisshapen(pointer) ||
      source.hasUnresolved(pointer) ||
      broken.some((other) => isWithin(other, pointer)),
    isMisshapen,
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
  pluginContradictions(file);
  endpointContradictions(file);
}

function serverContradictions(file: CheckedFile): void {
  if (!file.isBroken('/server')) {
    checkSize(file, '/server/body_limit', file.raw.server.body_limit, BODY_BYTES_MAX);
  }
}

function adminContradictions(file: CheckedFile): void {
  if (file.isBroken('/admin')) return;
  const { server, admin } = file.raw;
  if (admin.read_token !== '' && admin.read_token === admin.token) {
    const hint = 'whoever may read could also control; give it another';
    file.reject('/admin/read_token', { message: 'admin.token has the same value', hint });
  }
  if (file.isBroken('/server')) return;
  const sameHost = server.host === admin.host || [server.host, admin.host].some(isEveryAddress);
  if (admin.enabled && sameHost && admin.port === server.port && admin.port !== 0) {
    file.reject('/admin/port', { message: 'server.port already has this port', hint: 'give it another' });
  }
}

const isEveryAddress = (host: string): boolean => host === '0.0.0.0' || host === '::';
