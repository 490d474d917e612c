import type { Problem, LibraryFacts, LibraryFormat } from './facts.js';
import { BackworksError } from '../../../errors.js';
import { THIS_HOST, type Host } from './host.js';
import { explainMissing } from './missing-symbol.js';
import { compareVersions } from './versions.js';

/**
 * Checks whether a library can be a plugin on this machine.
 * @throws BackworksError BW_LIBRARY_FORMAT, _ARCHITECTURE, _SYMBOL or _GLIBC, with the reason and a remedy
 */
export function checkLibrary(path: string, facts: LibraryFacts, host: Host = THIS_HOST): void {
  const problem =
    checkFormat(facts, host) ??
    checkKind(facts) ??
    checkArchitecture(facts, host) ??
    explainMissing(facts.exports) ??
    checkLibc(facts, host);
  if (problem === null) return;
  const [code, message, hint] = problem;
  throw new BackworksError(code, `${path} ${message}`, { hint });
}

const SYSTEMS: Readonly<Record<LibraryFormat, string>> = { elf: 'Linux', pe: 'Windows', 'mach-o': 'macOS' };

function checkFormat({ format }: LibraryFacts, { platform }: Host): Problem | null {
  const expected = platform === 'darwin' ? 'mach-o' : platform === 'win32' ? 'pe' : 'elf';
  if (format === expected) return null;
  const [theirs, ours] = [SYSTEMS[format], SYSTEMS[expected]];
  return ['BW_LIBRARY_FORMAT', `is a ${theirs} file, this machine runs ${ours}`, `build it for ${ours}`];
}

function checkKind({ kind }: LibraryFacts): Problem | null {
  if (kind === 'shared-library') return null;
  const what = { executable: 'an executable', object: 'an object file', other: 'another kind of file' }[kind];
  return ['BW_LIBRARY_FORMAT', `is not a shared library but ${what}`, 'link it with -shared'];
}

function checkArchitecture({ architectures }: LibraryFacts, { arch }: Host): Problem | null {
  if (architectures.includes(arch)) return null;
  const message = `is built for ${architectures.join(' and ')}, this machine is ${arch}`;
  return ['BW_LIBRARY_ARCHITECTURE', message, `rebuild it for ${arch}`];
}

function checkLibc({ libc, glibcFloor }: LibraryFacts, host: Host): Problem | null {
  if (host.platform !== 'linux' || libc === null) return null;
  const { glibcVersion } = host;
  if (libc === 'musl') {
    if (glibcVersion === null) return null;
    return ['BW_LIBRARY_GLIBC', 'is built for musl, this host runs glibc', 'build it on a glibc system'];
  }
  if (glibcVersion === null) {
    return ['BW_LIBRARY_GLIBC', 'is built for glibc, this host runs musl', 'build it on a musl system'];
  }
  if (glibcFloor === null || compareVersions(glibcFloor, glibcVersion) <= 0) return null;
  const message = `needs glibc ${glibcFloor}, this host has ${glibcVersion}`;
  return ['BW_LIBRARY_GLIBC', message, `build it on an older system, or for glibc ${glibcVersion}`];
}
