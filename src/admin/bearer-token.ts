import { createHash, timingSafeEqual } from 'node:crypto';

/** What the bearer of a token may do: read, or read and control. */
export type Scope = 'read' | 'control';

export interface AdminTokens {
  /** Gives control; never empty. */
  readonly token: string;
  /** Gives reading; empty or absent when there is no such token. */
  readonly readToken?: string | undefined;
}

/**
 * Reads what an `Authorization` header permits; null for nothing. Digests are compared, in constant
 * time and always with both tokens, so neither a token's length nor a matching beginning shows in how
 * long an answer takes.
 * @param tokens asked for each time: they may change
 * @throws TypeError for an empty token, which would let everyone in.
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
