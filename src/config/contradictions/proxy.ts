import type { CheckedFile } from '../schema/checked-file.js';
import type { RawEndpoint } from '../schema/raw.js';
import { below, type Pointer } from '../source/pointer.js';
import { parsePercentage } from '../source/units.js';

type RawProxy = NonNullable<RawEndpoint['proxy']>;

/** Reports mistakes in the `proxy:` block of an endpoint. @param path the path of the endpoint */
export function checkProxy(file: CheckedFile, pointer: Pointer, proxy: RawProxy, path: string): void {
  checkTargets(file, pointer, proxy);
  checkTls(file, below(pointer, 'tls'), proxy);
  const { strip_prefix: prefix, retry } = proxy;
  if (prefix !== undefined && !isBeginning(prefix, path)) {
    const at = below(pointer, 'strip_prefix');
    const expected = `a beginning of the path ${file.show(pointer, path)}`;
    file.reject(at, { expected, found: file.show(at, prefix) });
  }
  if (parsePercentage(retry.budget) > 100) {
    const at = `${pointer}/retry/budget`;
    file.reject(at, {
      expected: 'a percentage of at most 100%',
      found: file.show(at, String(retry.budget)),
    });
  }
}

function checkTargets(file: CheckedFile, pointer: Pointer, { target, targets }: RawProxy): void {
  if ((target === undefined) === (targets === undefined)) {
    const found = target === undefined ? 'neither' : 'both';
    file.rejectEntry(pointer, { expected: 'one of target and targets', found });
    return;
  }
  if (target !== undefined) checkUrl(file, below(pointer, 'target'), target);
  const seen = new Set<string>();
  for (const [index, entry] of (targets ?? []).entries()) {
    const at = below(below(pointer, 'targets'), index);
    const url = typeof entry === 'string' ? entry : entry.url;
    const urlAt = typeof entry === 'string' ? at : below(at, 'url');
    if (!checkUrl(file, urlAt, url)) continue;
    const { href } = new URL(url);
    if (seen.has(href)) file.reject(urlAt, { message: `${file.show(urlAt, url)} is already in the list` });
    seen.add(href);
  }
}

function checkUrl(file: CheckedFile, pointer: Pointer, url: string): boolean {
  if (isProxyTarget(url)) return true;
  const expected = 'an http or https URL without a user name, query or fragment';
  file.reject(pointer, { expected, found: file.show(pointer, url) });
  return false;
}

function isProxyTarget(target: string): boolean {
  if (!URL.canParse(target)) return false;
  const url = new URL(target);
  const plain = url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  return plain && (url.protocol === 'http:' || url.protocol === 'https:');
}

function checkTls(file: CheckedFile, pointer: Pointer, proxy: RawProxy): void {
  if (!file.isGiven(pointer)) return;
  const { certificate, key, ca, verify } = proxy.tls;
  if (!urlsOf(proxy).some((url) => url.toLowerCase().startsWith('https:')))
    file.rejectEntry(pointer, { message: 'no target is an https URL', hint: 'remove it' });
  if ((certificate === undefined) !== (key === undefined)) {
    const [given, missing] = key === undefined ? ['certificate', 'key'] : ['key', 'certificate'];
    file.reject(below(pointer, given), { message: `a client certificate needs ${missing}, too` });
  }
  if (ca !== undefined && !verify) {
    const message = 'a CA has no effect when certificates are not verified';
    file.reject(below(pointer, 'ca'), { message, hint: 'remove ca or verify: false' });
  }
}

function urlsOf({ target, targets = [] }: RawProxy): string[] {
  return [target ?? [], targets.map((entry) => (typeof entry === 'string' ? entry : entry.url))].flat();
}

/** Whether each path that an endpoint matches begins with the segments of a prefix. */
function isBeginning(prefix: string, path: string): boolean {
  const segments = path.split('/');
  return prefix.split('/').every((segment, index) => segment === segments[index]);
}
