import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { BackworksError } from '../../errors.js';

/** Directories of the SDK that this package contains. Absolute paths. */
export interface SdkPlaces {
  /** Everything; an install prefix for pkg-config and CMake. */
  readonly root: string;
  readonly include: string;
  /** For PKG_CONFIG_PATH. */
  readonly pkgconfig: string;
  /** For CMAKE_PREFIX_PATH. */
  readonly cmake: string;
  /** The crate. */
  readonly rust: string;
  /** The Go module. */
  readonly go: string;
  /** The Zig package. */
  readonly zig: string;
}

/** @throws BackworksError BW_INTERNAL when the package was installed without its SDK */
export function sdkPlaces(): SdkPlaces {
  const root = fileURLToPath(new URL('../../../native-sdk', import.meta.url));
  if (!existsSync(join(root, 'include/backworks_plugin.h'))) {
    const hint = 'install the package again';
    throw new BackworksError('BW_INTERNAL', `the SDK is missing: ${root} has no plugin header`, { hint });
  }
  return {
    root,
    include: join(root, 'include'),
    pkgconfig: join(root, 'share/pkgconfig'),
    cmake: root,
    rust: join(root, 'rust/backworks-plugin-sdk'),
    go: join(root, 'go'),
    zig: join(root, 'zig'),
  };
}
