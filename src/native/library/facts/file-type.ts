/** Names a file that is no library, for the sentence "FILE is not a shared library but …". */
export function recognizeOther(start: Uint8Array): string {
  const bytes = Buffer.from(start.buffer, start.byteOffset, start.byteLength);
  if (bytes.length === 0) return 'an empty file';
  if (bytes.subarray(0, 2).toString('latin1') === '#!') return describeScript(bytes);
  for (const [magic, what] of MAGICS) {
    if (bytes.subarray(0, magic.length).equals(magic)) return what;
  }
  if (isCoffObject(bytes)) return 'an object file';
  return isText(bytes) ? 'a text file' : 'a file of an unknown format';
}

const MAGICS: readonly (readonly [Buffer, string])[] = [
  [Buffer.from('\0asm', 'latin1'), 'a WebAssembly module'],
  [Buffer.from('!<arch>\n', 'latin1'), 'a static archive (.a)'],
  [Buffer.from('!<thin>\n', 'latin1'), 'a static archive (.a)'],
  [Buffer.from('\x7fELF', 'latin1'), 'the first bytes of an ELF file'],
  [Buffer.from([0xca, 0xfe, 0xba, 0xbe]), 'a Java class'],
  [Buffer.from('BC\xc0\xde', 'latin1'), 'LLVM bitcode'],
  [Buffer.from('PK\x03\x04', 'latin1'), 'a ZIP archive'],
  [Buffer.from([0x1f, 0x8b]), 'a gzip archive'],
  [Buffer.from('version https://git-lfs', 'latin1'), 'a Git LFS pointer'],
];

/** The hint for such a file. */
export function adviseOn(what: string): string {
  if (what === 'an object file') return 'link it with -shared';
  if (what === 'a static archive (.a)') return 'link its object files with -shared';
  if (what === 'a Git LFS pointer') return 'fetch the file itself with git lfs pull';
  if (what === 'a WebAssembly module') return 'compile for this system, not for WebAssembly';
  return 'give the path of a compiled shared library';
}

function describeScript(bytes: Buffer): string {
  const line = bytes.subarray(2, 128).toString('latin1').split('\n', 1)[0] ?? '';
  return /\b(?:ba|da|k|z)?sh\b/.test(line) ? 'a shell script' : 'a script';
}

/** Object files of Windows compilers begin with the machine's number; they have no other signature. */
function isCoffObject(bytes: Buffer): boolean {
  const machines = [0x8664, 0x014c, 0xaa64, 0x01c4];
  return bytes.length >= 20 && machines.includes(bytes.readUInt16LE(0)) && bytes.readUInt16LE(16) === 0;
}

function isText(bytes: Buffer): boolean {
  const text = bytes.toString('utf8').replace(/\ufffd{1,3}$/, '');
  // eslint-disable-next-line no-control-regex -- control characters are what tells binary from text
  return !/[\u0000-\u0008\u000e-\u001a\u001c-\u001f\ufffd]/.test(text);
}
