import { readFileSync } from 'node:fs';

let version: string | null = null;

/** Of this server, as plugins may ask for in their manifest. */
export function hostVersion(): string {
  return (version ??= readVersion());
}

function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
