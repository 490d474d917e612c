import { createSecureContext, type SecureContext } from 'node:tls';
import { isIP } from 'node:net';
import type { RequestOptions } from 'node:https';
import { urlToHttpOptions } from 'node:url';
import type { ProxyConfig, ProxyTlsConfig } from '../config/proxy-types.js';
import { BackworksError } from '../errors.js';
import { readTlsFiles, type TlsFiles } from './tls-files.js';
import { type TargetChange, TargetHealth } from './target-health.js';
import { secureAgent, UPSTREAM_AGENTS } from './upstream-agent.js';

/** Settings of an endpoint that concern each of its targets. */
export interface TargetSettings extends Pick<ProxyConfig, 'tls' | 'circuitBreaker' | 'health' | 'host'> {
  readonly files: TlsFiles;
}

/** @throws BackworksError BW_CONFIG_INVALID when a file of `tls` cannot be used */
export function targetSettings(
  endpoint: string,
  { tls, circuitBreaker, health, host }: ProxyConfig,
): TargetSettings {
  return { tls, circuitBreaker, health, host, files: readTlsFiles(endpoint, tls) };
}

/** A server that answers requests of an endpoint: its address, its health, and what it does at the moment. */
export class Target {
  /** Options of a request, without those of a single one. */
  readonly connection: RequestOptions;
  /** The path of the URL, without a slash at its end. */
  readonly base: string;
  /** For spans. */
  readonly address: { readonly hostname: string; readonly port: number };
  readonly health: TargetHealth;
  /** The Host header of requests, unless the client's is preserved. */
  readonly host: string;
  /** Equal for targets that can stand for each other. */
  readonly key: string;
  inFlight = 0;
  requests = 0;
  failures = 0;

  /** @throws BackworksError BW_CONFIG_INVALID when the URL or a certificate cannot be used */
  constructor(
    readonly endpoint: string,
    readonly url: string,
    readonly settings: TargetSettings,
    changed: (target: Target, change: TargetChange) => void,
  ) {
    const parsed = parseTarget(endpoint, url);
    this.key = targetKey(url, settings);
    this.base = parsed.pathname.replace(/\/$/, '');
    this.host = settings.host === 'target' || settings.host === 'preserve' ? parsed.host : settings.host;
    const { protocol, hostname, port } = urlToHttpOptions(parsed);
    const standardPort = protocol === 'http:' ? 80 : 443;
    this.address = {
      hostname: parsed.hostname,
      port: parsed.port === '' ? standardPort : Number(parsed.port),
    };
    const address = { protocol, hostname, port };
    this.connection =
      parsed.protocol === 'http:'
        ? { ...address, agent: UPSTREAM_AGENTS.http }
        : { ...address, ...secureOptions(endpoint, String(hostname), settings) };
    this.health = new TargetHealth(settings.circuitBreaker, settings.health, (change) =>
      changed(this, change),
    );
  }

  /** A request is about to be sent. @returns what to give to answered(), failed() or abandoned() */
  begin(): number {
    this.inFlight += 1;
    this.requests += 1;
    return this.health.begin();
  }

  answered(begun: number): void {
    this.health.passed(begun);
  }

  /** @param reason what the target did, to be read after its name */
  failed(begun: number, reason: string): void {
    this.failures += 1;
    this.health.failed(begun, reason);
  }

  /** The client is the reason that there is no answer. */
  abandoned(begun: number): void {
    this.health.abandoned(begun);
  }

  /** The exchange is over. */
  end(): void {
    this.inFlight -= 1;
  }
}

/** Equal for targets that can stand for each other. */
export function targetKey(url: string, settings: TargetSettings): string {
  return JSON.stringify([url, settings]);
}

function parseTarget(endpoint: string, target: string): URL {
  const url = URL.canParse(target) ? new URL(target) : null;
  if (url !== null && (url.protocol === 'http:' || url.protocol === 'https:')) return url;
  const message = `endpoint ${endpoint}: proxy target is not an http or https URL`;
  throw new BackworksError('BW_CONFIG_INVALID', message);
}

/**
 * The name to verify is set here: Node would take it from the Host header, which the client chooses when it is
 * preserved.
 */
function secureOptions(endpoint: string, hostname: string, { tls, files }: TargetSettings): RequestOptions {
  const servername = tls.serverName ?? (isIP(hostname) === 0 ? hostname : '');
  if (isPlain(tls)) return { servername, agent: UPSTREAM_AGENTS.https };
  const options = { servername, rejectUnauthorized: tls.verify };
  return { ...options, agent: secureAgent({ ...options, secureContext: contextOf(endpoint, files) }) };
}

function isPlain({ ca, verify, certificate }: ProxyTlsConfig): boolean {
  return ca === null && verify && certificate === null;
}

function contextOf(endpoint: string, files: TlsFiles): SecureContext {
  try {
    return createSecureContext(files);
  } catch (cause) {
    const { message } = cause as Error;
    const hint = 'they must be PEM files, and the key must belong to the certificate';
    const what = `endpoint ${endpoint}: the files of proxy.tls cannot be used (${message})`;
    throw new BackworksError('BW_CONFIG_INVALID', what, { hint, cause });
  }
}
