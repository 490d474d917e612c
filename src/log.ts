/** Receives log lines. A pino logger and any other object with these four methods can be used. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/**
 * The default log, which drops every line.
 *
 * @example
 * ```ts
 * import { createBackworks, type Log, parseConfig, silentLog } from 'backworks';
 *
 * const log: Log = { ...silentLog, error: (fields, message) => console.error(message, fields) };
 * const { config } = parseConfig('admin: { enabled: false }', { directory: process.cwd() });
 * console.log(createBackworks(config, { log }).plugins()); // []
 * ```
 */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
