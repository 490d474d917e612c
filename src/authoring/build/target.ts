import { BackworksError } from '../../errors.js';
import type { LibraryFacts } from '../../native/library/facts/index.js';
import { compareVersions } from '../../native/library/facts/versions.js';

/** A system and processor that plugins are built for. */
export interface BuildTarget {
  /** Such as `x86_64-linux-gnu.2.17`; the name that zig uses. */
  readonly name: string;
  readonly system: 'linux' | 'windows' | 'macos';
  readonly cpu: 'x86_64' | 'aarch64';
  readonly libc: 'glibc' | 'musl' | null;
  /** The library must not need a newer glibc; null for no limit. */
  readonly glibcMax: string | null;
}

const NAME = /^(x86_64|aarch64)-(?:(linux-gnu)(?:\.(\d+\.\d+))?|(linux-musl)|(windows-gnu)|(macos))$/;
const TARGET_EXAMPLES =
  'x86_64 or aarch64, then -linux-gnu.2.17, -linux-musl, -windows-gnu or -macos, such as aarch64-linux-gnu.2.17';

/** @throws BackworksError BW_USAGE */
export function parseTarget(name: string): BuildTarget {
  const [, cpu, gnu, glibc, musl, windows] = NAME.exec(name) ?? [];
  if (cpu === undefined) {
    const message = `--target does not know ${JSON.stringify(name)}`;
    throw new BackworksError('BW_USAGE', message, { hint: `give ${TARGET_EXAMPLES}` });
  }
  const isLinux = gnu !== undefined || musl !== undefined;
  return {
    name,
    cpu: cpu as BuildTarget['cpu'],
    system: isLinux ? 'linux' : windows !== undefined ? 'windows' : 'macos',
    libc: gnu !== undefined ? 'glibc' : musl !== undefined ? 'musl' : null,
    glibcMax: glibc ?? null,
  };
}

const EXTENSIONS = { linux: 'so', windows: 'dll', macos: 'dylib' } as const;
const HOST_EXTENSIONS: Partial<Record<NodeJS.Platform, string>> = { win32: 'dll', darwin: 'dylib' };

/** @param target null for this machine */
export function libraryName(stem: string, target: BuildTarget | null): string {
  const extension = target === null ? (HOST_EXTENSIONS[process.platform] ?? 'so') : EXTENSIONS[target.system];
  return extension === 'dll' ? `${stem}.dll` : `lib${stem}.${extension}`;
}

/** The target's name in Rust. */
export function rustTarget({ cpu, system, libc }: BuildTarget): string {
  if (system === 'macos') return `${cpu}-apple-darwin`;
  if (system === 'windows') return cpu === 'x86_64' ? 'x86_64-pc-windows-gnu' : 'aarch64-pc-windows-gnullvm';
  return `${cpu}-unknown-linux-${libc === 'musl' ? 'musl' : 'gnu'}`;
}

/** GOOS and GOARCH. */
export function goTarget({ cpu, system }: BuildTarget): { readonly GOOS: string; readonly GOARCH: string } {
  return { GOOS: system === 'macos' ? 'darwin' : system, GOARCH: cpu === 'x86_64' ? 'amd64' : 'arm64' };
}

/** CMAKE_SYSTEM_NAME. */
export function cmakeSystem({ system }: BuildTarget): string {
  return { linux: 'Linux', windows: 'Windows', macos: 'Darwin' }[system];
}

const FORMATS = { linux: 'elf', windows: 'pe', macos: 'mach-o' } as const;

/** Why a library was not built for the target; null when it was. */
export function mismatch({ system, cpu, libc, glibcMax }: BuildTarget, facts: LibraryFacts): string | null {
  const { format, architectures, glibcFloor } = facts;
  if (format !== FORMATS[system]) return `it is a ${format} file, not ${FORMATS[system]}`;
  const processor = cpu === 'x86_64' ? 'x64' : 'arm64';
  if (!architectures.includes(processor)) return `it is for ${architectures.join(', ')}, not ${processor}`;
  // A library that calls no function of the C library names none.
  if (libc !== null && facts.libc !== null && facts.libc !== libc) return `it is for ${facts.libc}, not ${libc}`;
  if (glibcMax !== null && glibcFloor !== null && compareVersions(glibcFloor, glibcMax) > 0)
    return `it needs glibc ${glibcFloor}, which is newer than ${glibcMax}`;
  return null;
}
