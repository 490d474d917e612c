/** Rust's escapes in the older of its two manglings. */
const ESCAPES: Readonly<Record<string, string>> = {
  SP: '@',
  BP: '*',
  RF: '&',
  LT: '<',
  GT: '>',
  LP: '(',
  RP: ')',
  C: ',',
};
const RUST_HASH = /^h[0-9a-f]{16}$/;

/**
 * The name of a C++ or Rust function as its author wrote it: "pay::settle" for "_ZN3pay6settleEv". Arguments are
 * left out. Names with templates, and the newer names of Rust beyond their path, stay as they are.
 */
export function readableName(symbol: string): string {
  return itaniumName(symbol) ?? rustPath(symbol) ?? symbol;
}

function itaniumName(symbol: string): string | null {
  const nested = symbol.startsWith('_ZN');
  if (!nested && !/^_Z(?:L)?\d/.test(symbol)) return null;
  let rest = symbol.slice(nested ? 3 : 2).replace(/^[LKVrRO]+(?=\d)/, '');
  const parts: string[] = [];
  for (let length = /^\d+/.exec(rest); length !== null; length = /^\d+/.exec(rest)) {
    const [digits] = length;
    const name = rest.slice(digits.length, digits.length + Number(digits));
    if (name.length < Number(digits)) return null;
    parts.push(name);
    rest = rest.slice(digits.length + name.length).replace(/^L(?=\d)/, '');
    if (!nested) break;
  }
  if (parts.length === 0 || /^(?:I|C|D|S|B)/.test(rest) || (nested && !rest.startsWith('E'))) return null;
  if (RUST_HASH.test(parts.at(-1) as string) && parts.length > 1) return rustName(parts.slice(0, -1));
  return parts.map((part) => (part === '_GLOBAL__N_1' ? '(anonymous namespace)' : part)).join('::');
}

function rustName(parts: readonly string[]): string {
  return parts
    .map((part) =>
      part
        .replace(/^_(?=\$)/, '')
        .replace(/\$(\w{1,2})\$/g, (whole, name: string) => ESCAPES[name] ?? whole)
        .replace(/\$u([0-9a-f]{2,5})\$/g, (_, hex: string) => String.fromCodePoint(parseInt(hex, 16)))
        .replaceAll('..', '::'),
    )
    .join('::');
}

/** The newer mangling of Rust (v0), as far as it is a plain path: `_RNvCs4fqI2P2rA04_3pay6settle`. */
function rustPath(symbol: string): string | null {
  const path = /^_R(?:N[a-zA-Z])+C(?:s[0-9a-zA-Z]*_)?(.*)$/.exec(symbol)?.[1];
  if (path === undefined) return null;
  let rest = path;
  const parts: string[] = [];
  for (let length = /^(?:s[0-9a-zA-Z]*_)?(\d+)_?/.exec(rest); length !== null;) {
    const size = Number(length[1]);
    const name = rest.slice(length[0].length, length[0].length + size);
    if (name.length < size) return null;
    parts.push(name);
    rest = rest.slice(length[0].length + size);
    length = /^(?:s[0-9a-zA-Z]*_)?(\d+)_?/.exec(rest);
  }
  return parts.length > 0 && rest === '' ? parts.join('::') : null;
}
