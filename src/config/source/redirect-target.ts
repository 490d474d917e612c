/** The syntax of the target of a redirect: a path or a URL with `{name}` and `{*}` behind the host. */

/** A literal text, or the name of the parameter whose value takes its place; `*` is the rest of the path. */
export type TargetPart = string | { readonly parameter: string };

export interface TargetFault {
  readonly expected: string;
  readonly hint?: string;
}

/** Characters that a URL contains as they are; everything else is percent-encoded. */
const LITERAL = /^[!#-;=?-[\]_a-z~]*$/;
const PLACEHOLDER = /\{([^{}]*)\}/;
const ORIGIN =
  /^https?:\/\/[A-Za-z0-9.-]+(?::\d{1,5})?(?=[/?#]|$)|^https?:\/\/\[[0-9A-Fa-f:.]+\](?::\d{1,5})?(?=[/?#]|$)/i;

/** Splits a target into its parts. The parts are complete only if redirectFault() finds nothing wrong. */
export function redirectParts(to: string): TargetPart[] {
  return to.split(PLACEHOLDER).map((text, index) => (index % 2 === 0 ? text : { parameter: text }));
}

/**
 * What is wrong with the target of a redirect, or undefined. No placeholder may decide about the host: a request could
 * choose where its client goes.
 * @param path the path of the endpoint, which has the parameters
 */
export function redirectFault(to: string, path: string): TargetFault | undefined {
  const origin = ORIGIN.exec(to)?.[0];
  if (origin === undefined && !/^\/(?![/\\])/.test(to)) {
    return { expected: 'a path that starts with one "/", or an http or https URL whose host is written out' };
  }
  if (origin !== undefined && !URL.canParse(origin)) return { expected: 'a URL with a valid host and port' };
  const parts = redirectParts(to);
  if (parts.some((part) => typeof part === 'string' && !LITERAL.test(part))) {
    return { expected: 'a URL in ASCII', hint: 'percent-encode the other characters' };
  }
  const known = path
    .split('/')
    .flatMap((segment) => (segment === '*' ? '*' : (PLACEHOLDER.exec(segment)?.[1] ?? [])));
  const unknown = parts.find((part) => typeof part !== 'string' && !known.includes(part.parameter));
  if (unknown === undefined) return undefined;
  const hint =
    known.length === 0 ? 'the path has none' : `the path has ${known.map((name) => `{${name}}`).join(', ')}`;
  return { expected: 'a URL with parameters of the path of the endpoint', hint };
}
