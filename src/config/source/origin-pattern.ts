/** An origin as browsers send it, with `*.` for every name below a host. */
const PATTERN =
  /^[a-z][a-z0-9+.-]*:\/\/(?:(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::[1-9]\d{0,4})?$/;
const DEFAULT_PORT = /^http:.*:80$|^https:.*:443$/;

/** What is wrong with an allowed origin, or undefined. */
export function originFault(origin: string): { expected: string; hint?: string } | undefined {
  if (origin === '*' || origin === 'null') return undefined;
  if (DEFAULT_PORT.test(origin)) {
    return { expected: 'an origin without the port of its scheme', hint: 'browsers leave it out' };
  }
  if (PATTERN.test(origin)) return undefined;
  const expected = 'an origin such as https://app.example or https://*.app.example, or *';
  const plain = origin.toLowerCase().replace(/\/+$/, '');
  return PATTERN.test(plain) ? { expected, hint: `write ${plain}` } : { expected };
}
