/** One proxy's statement about the hop before it (RFC 7239 section 4). Parameter names are in lower case. */
export type ForwardedElement = Readonly<Record<string, string>>;

const PAIR = /^\s*([!#$%&'*+.^_`|~\w-]+)=(?:([!#$%&'*+.^_`|~\w-]+)|"((?:[^"\\]|\\.)*)")\s*/;

/** Reads a Forwarded header, first hop first. Null when the header breaks the grammar. */
export function parseForwarded(header: string): ForwardedElement[] | null {
  const elements: Record<string, string>[] = [];
  let element: Record<string, string> = {};
  let rest = header;
  for (;;) {
    const pair = PAIR.exec(rest);
    if (pair === null) return null;
    const [whole, name = '', token, quoted = ''] = pair;
    element[name.toLowerCase()] = token ?? quoted.replaceAll(/\\(.)/g, '$1');
    const next = rest[whole.length];
    rest = rest.slice(whole.length + 1);
    if (next === ';') continue;
    elements.push(element);
    element = {};
    if (next === undefined) return elements;
    if (next !== ',') return null;
  }
}
