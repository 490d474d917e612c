import { createHash, timingSafeEqual } from 'node:crypto';

/** What the bearer of a token may do: read, or read and control. */
export type Scope = 'read' | 'control';

export interface AdminTokens {
  /** Gives control; never empty. */
  readonly token: string;
  /** Gives reading; empty or absent when there is no such token. */
  readonly readToken?: string;
}

/**
 * Reads what an `Authorization` header permits; null for nothing. Digests are compared, in constant
 * time and always with both tokens, so neither a token's length nor a matching beginning shows in how
 * long an answer takes.
 * @throws TypeError for an empty token, which would let everyone in.
 */
export function scopeCheck({
  token,
  readToken = '',
}: AdminTokens): (authorization: string | undefined) => Scope | null {
  if (token === '') throw new TypeError('the admin API cannot run with an empty token');
  const control = digest(token);
  const read = readToken === '' ? control : digest(readToken);
  return (authorization) => {
    const given = digest(/^bearer +(.+)$/i.exec(authorization ?? '')?.[1] ?? '');
    const mayControl = timingSafeEqual(given, control);
    const mayRead = timingSafeEqual(given, read);
    if (mayControl) return 'control';
    return mayRead ? 'read' : null;
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
