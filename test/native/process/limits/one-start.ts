import { createBackworks, parseConfig } from '../../../../dist/index.js';

/**
 * A program: starts a server from the YAML in its argument, prints the state of its plugin `limited` as
 * JSON, and stops. Tests run it on systems that differ from this one.
 */
const warnings: string[] = [];
const nothing = (): void => undefined;
const log = {
  debug: nothing,
  info: nothing,
  warn: (_: object, message: string) => void warnings.push(message),
  error: nothing,
};
const { config } = parseConfig(process.argv[2] ?? '', { directory: '/' });
const backworks = createBackworks(config, { log });
await backworks.start();
const status = backworks.plugins().find(({ name }) => name === 'limited');
await backworks.stop();
process.stdout.write(JSON.stringify({ ...status, warnings }));
