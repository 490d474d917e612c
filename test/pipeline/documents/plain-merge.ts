/**
 * RFC 7396 on JSON text, written for reading and not for speed. A text becomes a tree: numbers and strings keep
 * the text they were written as, and objects are lists of members.
 */

type Tree =
  | { readonly kind: 'scalar' | 'array'; readonly text: string }
  | { readonly kind: 'object'; readonly members: readonly Member[] };

interface Member {
  /** As written, including quotes. */
  readonly key: string;
  readonly value: Tree;
}

const TOKEN = /[ \t\r\n]*("(?:[^"\\]|\\[^])*"|[^ \t\r\n"[\]{},:]+|[[\]{},:])/y;

/** The tokens of valid JSON, without the white space between them. */
function tokens(json: string): string[] {
  const found: string[] = [];
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(json); match !== null; match = TOKEN.exec(json)) found.push(match[1]!);
  return found;
}

/** JSON without white space between its tokens. */
export function compact(json: string): string {
  return tokens(json).join('');
}

function parse(json: string): Tree {
  const rest = tokens(json);
  let at = 0;
  const value = (): Tree => {
    const first = rest[at]!;
    if (first === '{') return object();
    const start = at;
    let depth = 0;
    do {
      const token = rest[at++]!;
      if (token === '[' || token === '{') depth += 1;
      if (token === ']' || token === '}') depth -= 1;
    } while (depth > 0);
    return { kind: first === '[' ? 'array' : 'scalar', text: rest.slice(start, at).join('') };
  };
  const object = (): Tree => {
    const members: Member[] = [];
    at += 1;
    while (rest[at] !== '}') {
      const key = rest[at]!;
      at += 2;
      members.push({ key, value: value() });
      if (rest[at] === ',') at += 1;
    }
    at += 1;
    return { kind: 'object', members };
  };
  return value();
}

function write(tree: Tree): string {
  if (tree.kind !== 'object') return tree.text;
  return `{${tree.members.map(({ key, value }) => `${key}:${write(value)}`).join(',')}}`;
}

const nameOf = ({ key }: Member): string => JSON.parse(key) as string;

/** One member for each name: at the position of the first, with the value of the last. */
function unique(members: readonly Member[]): Member[] {
  const names = new Map<string, Member>();
  for (const member of members) names.set(nameOf(member), member);
  return [...names.values()];
}

function merge(target: Tree | undefined, patch: Tree): Tree {
  if (patch.kind !== 'object') return patch;
  const before = target?.kind === 'object' ? target.members : [];
  const changes = unique(patch.members);
  const isNull = ({ value }: Member): boolean => value.kind === 'scalar' && value.text === 'null';
  const after: Member[] = [];
  const placed = new Set<string>();
  for (const member of before) {
    const name = nameOf(member);
    const change = changes.find((other) => nameOf(other) === name);
    if (change === undefined) after.push(member);
    else if (!isNull(change) && !placed.has(name)) {
      const { value } = before.findLast((other) => nameOf(other) === name)!;
      after.push({ key: member.key, value: merge(value, change.value) });
      placed.add(name);
    }
  }
  const known = new Set(before.map(nameOf));
  for (const change of changes) {
    if (!known.has(nameOf(change)) && !isNull(change))
      after.push({ key: change.key, value: merge(undefined, change.value) });
  }
  return { kind: 'object', members: after };
}

/** The target after the patch, without white space; the target may be missing. */
export function plainMerge(target: string | undefined, patch: string): string {
  return write(merge(target === undefined ? undefined : parse(target), parse(patch)));
}
