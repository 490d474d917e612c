import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * A check of `Authorization` headers against one bearer token. Digests are compared, in constant time,
 * so neither the token's length nor a matching beginning shows in how long an answer takes.
 * @throws TypeError for an empty token, which would let everyone in.
 */
export function bearerTokenCheck(token: string): (authorization: string | undefined) => boolean {
  if (token === '') throw new TypeError('the admin API cannot run with an empty token');
  const expected = digest(token);
  return (authorization) => {
    const given = /^bearer +(.+)$/i.exec(authorization ?? '')?.[1];
    return given !== undefined && timingSafeEqual(digest(given), expected);
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
