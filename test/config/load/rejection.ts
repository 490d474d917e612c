import { ConfigError, parseConfig } from '../../../dist/config/load/load.js';

/** The ConfigError of a text that must be rejected. The text is loaded as /srv/backworks.yaml. */
export function rejection(text: string, env: NodeJS.ProcessEnv = {}): ConfigError {
  try {
    parseConfig(text, { file: 'backworks.yaml', directory: '/srv', env });
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error(`accepted: ${text}`);
}
