import type { ByteRange } from './byte-range.js';
import { LIMITS } from './facts.js';
import { damaged } from './unreadable.js';

/**
 * Names in a Mach-O export trie. A node consists of the length and bytes of the export information (length
 * 0: no name ends here), the number of edges, and for each edge a text and the node it leads to. A node is
 * read only once, so a damaged trie cannot cause an endless loop.
 * @throws UnreadableLibrary
 */
export function readExportTrie(trie: ByteRange): ReadonlySet<string> {
  const exports = new Set<string>();
  const seen = new Set<number>([0]);
  const open: { at: number; prefix: string }[] = [{ at: 0, prefix: '' }];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const [infoLength, info] = readUleb(trie, node.at);
    if (infoLength > 0) exports.add(node.prefix);
    trie.spend(node.prefix.length);
    if (seen.size > LIMITS.symbols) throw damaged('its export trie is implausibly large');
    let at = info + infoLength;
    const edges = trie.u8(at++);
    for (let edge = 0; edge < edges; edge++) {
      const text = trie.name(at);
      if (text === null) throw damaged('its export trie contains an endless name');
      const [child, next] = readUleb(trie, at + Buffer.byteLength(text) + 1);
      at = next;
      if (seen.has(child) || node.prefix.length + text.length > LIMITS.nameBytes) continue;
      seen.add(child);
      open.push({ at: child, prefix: node.prefix + text });
    }
  }
  return exports;
}

/** @returns the value, and where the next one starts */
function readUleb(range: ByteRange, start: number): [value: number, next: number] {
  let value = 0;
  for (let index = 0; index < 6; index++) {
    const byte = range.u8(start + index);
    value += (byte & 0x7f) * 2 ** (7 * index);
    if ((byte & 0x80) === 0) return [value, start + index + 1];
  }
  throw damaged('its export trie contains an endless number');
}
