import type { Problem } from './facts.js';

const REQUIRED = ['plugin_info', 'plugin_vtable'] as const;
/** Functions of an older design, one symbol each, that plugin_vtable() replaced. */
const FLAT = /^plugin_(?:initialize|shutdown|health_check|before_request|after_response|process_endpoint)$/;

/** Names the required function that a library lacks, and the likely cause. */
export function explainMissing(exports: ReadonlySet<string>): Problem | null {
  const missing = REQUIRED.filter((name) => !exports.has(name));
  if (missing.length === 0) return null;
  const what = missing.map((name) => `no ${name}`).join(' and ');
  return [
    'BW_LIBRARY_SYMBOL',
    `is not a Backworks plugin: it exports ${what}`,
    likelyCause(exports, missing),
  ];
}

function likelyCause(exports: ReadonlySet<string>, missing: readonly string[]): string {
  const names = [...exports];
  const mangled = missing.find((name) => names.some((other) => isMangled(other, name)));
  if (mangled !== undefined) return `it was compiled as C++: declare ${mangled} extern "C"`;
  const flat = names.filter((name) => FLAT.test(name));
  if (flat.length > 0) return `return ${flat.join(', ')} from plugin_vtable() instead of exporting them`;
  return 'define what is missing with BACKWORKS_EXPORT; in C++ also extern "C", in Rust #[unsafe(no_mangle)] (before Rust 1.82 #[no_mangle]) pub extern "C"';
}

/** Whether `symbol` is the C++ or Rust mangling of `name`. */
function isMangled(symbol: string, name: string): boolean {
  const isItanium = symbol.startsWith('_Z') && symbol.includes(`${name.length}${name}`);
  return isItanium || symbol.startsWith(`?${name}@@`) || (symbol.startsWith('_R') && symbol.includes(name));
}
