import { createHash, timingSafeEqual } from 'node:crypto';

/** What a token allows: reading, or reading and control. */
export type Scope = 'read' | 'control';

export interface AdminTokens {
  /** Allows control. Never empty. */
  readonly token: string;
  /** Allows reading. Empty or absent when there is no such token. */
  readonly readToken?: string | undefined;
}

/**
 * Checks what an `Authorization` header allows; null for nothing. Compares digests in constant time and
 * always with both tokens, so response times reveal neither the length nor a prefix of a token.
 * @param tokens read on every check, because tokens can change
 * @throws TypeError for an empty token, which would admit everyone
 */
export function scopeCheck(tokens: AdminTokens): (authorization: string | undefined) => Scope | null {
  let known = digests(tokens);
  return (authorization) => {
    if (tokens.token !== known.token || tokens.readToken !== known.readToken) known = digests(tokens);
    const { control, read } = known;
    const given = digest(/^bearer +(.+)$/i.exec(authorization ?? '')?.[1] ?? '');
    const mayControl = timingSafeEqual(given, control);
    const mayRead = timingSafeEqual(given, read);
    if (mayControl) return 'control';
    return mayRead ? 'read' : null;
  };
}

interface Digests extends AdminTokens {
  readonly control: Buffer;
  readonly read: Buffer;
}

function digests({ token, readToken }: AdminTokens): Digests {
  if (token === '') throw new TypeError('the admin API cannot run with an empty token');
  const control = digest(token);
  const read = readToken === undefined || readToken === '' ? control : digest(readToken);
  return { token, readToken, control, read };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
