import { readFileSync } from 'node:fs';

let version: string | null = null;

/** The version of this server. Manifests can require a range of versions. */
export function hostVersion(): string {
  return (version ??= readVersion());
}

function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
