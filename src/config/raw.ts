import type {
  HttpMethod,
  Isolation,
  JsonObject,
  JsonValue,
  LoggingConfig,
  Permissions,
  RetryCondition,
  SandboxMode,
} from './types.js';

/** The file after the schema has accepted it and filled in its defaults: units and paths as written. */
export interface RawConfig {
  name: string;
  version: string;
  description: string;
  server: {
    host: string;
    port: number;
    body_limit: RawSize;
    shutdown: { delay: RawDuration; timeout: RawDuration };
  };
  admin: { enabled: boolean; host: string; port: number; token: string; read_token: string };
  logging: LoggingConfig;
  endpoints: Record<string, RawEndpoint>;
  /** Every key but auto_discover is a plugin. */
  plugins: { auto_discover: RawAutoDiscover; [name: string]: RawAutoDiscover | RawPlugin };
}

export type RawDuration = string | number;
export type RawSize = string | number;
export type RawPercentage = string | number;

export interface RawAutoDiscover {
  enabled: boolean;
  directories: string[];
}

export interface RawEndpoint {
  path: string;
  methods?: HttpMethod[];
  plugin?: string;
  response?: { status: number; headers: Record<string, string>; body?: JsonValue };
  proxy?: { target: string; timeout: RawDuration };
}

export interface RawPlugin {
  type?: 'external' | 'builtin' | 'marketplace';
  path?: string;
  version?: string;
  enabled: boolean;
  critical?: boolean;
  priority?: number;
  isolation: Isolation;
  trusted: boolean;
  sandbox: SandboxMode;
  /** Paths as written. */
  permissions: Permissions;
  instances: number;
  config: JsonObject;
  timeouts: { call?: RawDuration; initialize: RawDuration; shutdown: RawDuration };
  circuit_breaker: { failures: number; window: RawDuration; reset_after: RawDuration };
  retry: { attempts: number; on: RetryCondition[] };
  limits: {
    memory: RawSize;
    open_files: number;
    file_size: RawSize;
    idle_cpu: RawPercentage;
    concurrency: number;
    queue: number;
    reply: RawSize;
    parsed_reply: RawSize;
    log_rate: RawSize;
  };
  recycle: { calls: number; memory?: RawSize };
  restart: { delay: RawDuration; max_delay: RawDuration };
  health: { interval: RawDuration; timeout: RawDuration };
  quarantine: { failures: number; window: RawDuration };
}

/** The plugin entries of a file, without the reserved key. */
export function pluginEntries(plugins: RawConfig['plugins']): [name: string, plugin: RawPlugin][] {
  const entries = Object.entries(plugins).filter(([name]) => name !== 'auto_discover');
  return entries as [string, RawPlugin][];
}

/** The sandbox a plugin gets: there is none around code that runs in the server. */
export function sandboxOf({ isolation, sandbox }: RawPlugin): SandboxMode {
  return isolation === 'in-process' ? 'off' : sandbox;
}
