import type { HeaderMap } from '../plugins/plugin.js';
import type { PathMapping } from './path-mapping.js';
import type { Target } from './target.js';

/**
 * Changes the headers of an answer that are true for this server and not for its client: addresses of the target
 * become paths of this server, and cookies of the target's host become cookies of this server's.
 */
export class AnswerRewrite {
  constructor(
    private readonly rewrite: readonly ('location' | 'cookies')[],
    private readonly paths: PathMapping,
  ) {}

  /** Changes `headers` in place. @param host the Host header that the target got */
  apply(headers: HeaderMap, target: Target, host: string): void {
    if (this.rewrite.includes('location')) {
      for (const name of ['location', 'content-location']) {
        const value = headers[name];
        if (typeof value === 'string') headers[name] = this.location(value, target, host);
      }
    }
    const cookies = headers['set-cookie'];
    if (Array.isArray(cookies) && this.rewrite.includes('cookies'))
      headers['set-cookie'] = cookies.map((cookie) => this.cookie(cookie, target, host));
  }

  /** A URL of another server stays as it is. A URL of the target becomes a path, so that the client keeps its scheme. */
  private location(value: string, target: Target, host: string): string {
    if (value.startsWith('/') && !value.startsWith('//')) return this.paths.toClient(target.base, value);
    if (!/^https?:\/\//i.test(value) || !URL.canParse(value)) return value;
    const url = new URL(value);
    if (!isOf(url, target, host)) return value;
    return this.paths.toClient(target.base, url.pathname) + url.search + url.hash;
  }

  private cookie(cookie: string, target: Target, host: string): string {
    const [pair = '', ...attributes] = cookie.split(';');
    const kept = attributes.flatMap((attribute) => {
      const [, name = '', value = ''] = /^\s*([^=]*?)\s*(?:=\s*(.*?)\s*)?$/.exec(attribute) ?? [];
      if (/^domain$/i.test(name)) return isHostOf(value, target, host) ? [] : [attribute];
      if (!/^path$/i.test(name) || !value.startsWith('/')) return [attribute];
      const path = this.paths.toClient(target.base, value);
      return path === value ? [attribute] : [` ${name}=${path}`];
    });
    return [pair, ...kept].join(';');
  }
}

/** Whether a URL is one of the target: by its address, or by the name that the target was asked for. */
function isOf(url: URL, { url: address }: Target, host: string): boolean {
  return url.origin === new URL(address).origin || url.host === host.toLowerCase();
}

function isHostOf(domain: string, { url }: Target, host: string): boolean {
  const name = domain.replace(/^\./, '').toLowerCase();
  return name === new URL(url).hostname || name === hostname(host.toLowerCase());
}

function hostname(host: string): string {
  return host.replace(/:\d+$/, '');
}
