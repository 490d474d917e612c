import { type SdkPlaces, sdkPlaces } from '../../authoring/build/sdk-place.js';
import { BackworksError, EXIT } from '../../errors.js';
import type { CommandContext, ExitCode } from '../command/command.js';
import { printJson } from '../terminal/print.js';

/** The options of `backworks sdk`, each with what it prints. */
const TEXTS = {
  cflags: ({ include }: SdkPlaces) => `-I${include}`,
  include: ({ include }: SdkPlaces) => include,
  pkgconfig: ({ pkgconfig }: SdkPlaces) => pkgconfig,
  cmake: ({ cmake }: SdkPlaces) => cmake,
  rust: ({ rust }: SdkPlaces) => rust,
  go: ({ go }: SdkPlaces) => go,
  zig: ({ zig }: SdkPlaces) => zig,
};

export type SdkOptions = { readonly [Name in keyof typeof TEXTS]?: boolean };

const LABEL_WIDTH = 10;

/** `backworks sdk`: where the SDKs are, for the build tools of each language. */
export async function sdk({ out, json }: CommandContext, wanted: SdkOptions): Promise<ExitCode> {
  const places = sdkPlaces();
  const names = (Object.keys(TEXTS) as (keyof typeof TEXTS)[]).filter((name) => wanted[name] === true);
  const [name] = names;
  if (names.length > 1)
    throw new BackworksError('BW_USAGE', `sdk prints one thing, not --${names.join(' and --')}`);
  const all = {
    root: places.root,
    ...Object.fromEntries(Object.entries(TEXTS).map(([key, text]) => [key, text(places)])),
  };
  if (json) printJson(out, name === undefined ? all : { [name]: TEXTS[name](places) });
  else if (name !== undefined) out.line(TEXTS[name](places));
  else
    for (const [key, text] of Object.entries(all))
      out.line(`${out.style('dim', key.padEnd(LABEL_WIDTH))}${text}`);
  return EXIT.ok;
}
