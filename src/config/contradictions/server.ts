import type { CheckedFile } from '../schema/checked-file.js';
import { parseNetwork } from '../source/network.js';
import { below, type Pointer } from '../source/pointer.js';
import { parseSize } from '../source/units.js';
import { checkBodyLimit } from './limits.js';
import { ruleContradictions } from './rules.js';

/** The next number, 2^32 - 1, is not a user: system calls take it as "leave the user unchanged". */
const USER_MAX = 2 ** 32 - 2;
/** `nobody`, and the 16-bit form of "no user". */
const RESERVED_USERS = [65534, 65535];
/** Node reserves the memory for a header while it arrives. */
const HEADER_BYTES_MAX = 1024 ** 2;
/** A host name in ASCII, or all names with one more label in front. */
const HOST = /^(\*\.)?([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?$/i;

export function serverContradictions(file: CheckedFile): void {
  if (!file.isBroken('/server')) {
    checkBodyLimit(file, '/server/body_limit', file.raw.server.body_limit);
    checkUsers(file);
    const { trust_proxy, proxy_protocol } = file.raw.server;
    checkAddresses(file, '/server/trust_proxy/addresses', trust_proxy.addresses);
    checkAddresses(file, '/server/proxy_protocol/addresses', proxy_protocol.addresses);
    checkHeaderLimit(file);
    checkHosts(file);
    ruleContradictions(file, '/server', file.raw.server);
  }
}

function checkUsers(file: CheckedFile): void {
  const { first, count } = file.raw.server.plugin_users;
  const last = first + count - 1;
  const at = '/server/plugin_users';
  if (last > USER_MAX) {
    const message = `the range ends at ${last}, but the highest user number is ${USER_MAX}`;
    file.reject(`${at}/count`, { message, hint: 'lower first or count' });
  }
  const reserved = RESERVED_USERS.find((user) => user >= first && user <= last);
  if (reserved === undefined) return;
  const message = `the range contains ${reserved}, which the system uses for users that it cannot map`;
  file.reject(`${at}/first`, { message, hint: `begin above ${Math.max(...RESERVED_USERS)}` });
}

function checkAddresses(file: CheckedFile, at: Pointer, addresses: readonly string[]): void {
  for (const [index, address] of addresses.entries()) {
    if (parseNetwork(address) !== null) continue;
    const pointer = below(at, index);
    const found = file.show(pointer, address);
    file.reject(pointer, { expected: 'an IP address or a network such as 10.0.0.0/8', found });
  }
}

function checkHeaderLimit(file: CheckedFile): void {
  const at = '/server/connections/header_limit';
  const limit = file.raw.server.connections.header_limit;
  if (parseSize(limit) > HEADER_BYTES_MAX)
    file.reject(at, { message: `${file.show(at, String(limit))} is more than 1MiB` });
}

/** Each host name belongs to one certificate. */
function checkHosts(file: CheckedFile): void {
  const at = '/server/tls/certificates';
  const seen = new Map<string, number>();
  for (const [index, { hosts }] of (file.raw.server.tls?.certificates ?? []).entries()) {
    for (const [place, host] of hosts.entries()) {
      const pointer = below(below(below(at, index), 'hosts'), place);
      const found = file.show(pointer, host);
      const earlier = seen.get(host.toLowerCase());
      if (!HOST.test(host)) {
        const hint = 'a name with other letters is written as its DNS name, xn--…';
        file.reject(pointer, { expected: 'a host name such as example.org or *.example.org', found, hint });
      } else if (earlier !== undefined && earlier !== index) {
        file.reject(pointer, {
          message: `server.tls.certificates[${earlier}] already has the host ${found}`,
        });
      }
      seen.set(host.toLowerCase(), index);
    }
  }
}
