import type { BackworksConfig } from '../config/types.js';
import type { PluginsDocument } from '../server/admin.js';
import { connectable, httpUrl } from './address.js';

/** How long a server of this machine may take to answer. */
const ANSWER_MS = 2_000;
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

export type AdminAnswer =
  | { readonly kind: 'plugins'; readonly document: PluginsDocument }
  /** No server of this configuration can be asked; says why. */
  | { readonly kind: 'none'; readonly why: string };

/** Asks the server that runs this configuration for its plugins. Never rejects. */
export async function askServer({ admin, file }: BackworksConfig): Promise<AdminAnswer> {
  if (!admin.enabled) return { kind: 'none', why: 'the admin API is disabled in the configuration' };
  if (admin.port === 0)
    return { kind: 'none', why: 'admin.port is 0, so a server would be at an unknown port' };
  const url = connectable(httpUrl(admin.host, admin.port));
  if (admin.token === '') {
    return { kind: 'none', why: 'admin.token is not set, so a server could not be asked' };
  }
  try {
    const response = await fetch(`${url}/plugins`, {
      headers: { authorization: `Bearer ${admin.token}` },
      redirect: 'error',
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    if (response.status === 401) return { kind: 'none', why: `the server at ${url} has another admin token` };
    const document = response.ok ? readDocument(await response.text()) : null;
    if (document === null)
      return { kind: 'none', why: `what answers at ${url} is not a Backworks admin API` };
    if (document.config_file !== file) {
      return { kind: 'none', why: `the server at ${url} runs another configuration` };
    }
    return { kind: 'plugins', document };
  } catch (error) {
    return { kind: 'none', why: `no server answers at ${url} (${reason(error)})` };
  }
}

function readDocument(text: string): PluginsDocument | null {
  if (text.length > ANSWER_BYTES_MAX) return null;
  const value = JSON.parse(text) as Partial<PluginsDocument> | null;
  return Array.isArray(value?.plugins) && Array.isArray(value.rejected) ? (value as PluginsDocument) : null;
}

/** fetch() hides what happened in the cause. */
function reason(error: unknown): string {
  const { cause, name } = error as { cause?: { code?: unknown }; name?: string };
  return typeof cause?.code === 'string' ? cause.code : (name ?? 'failed');
}
