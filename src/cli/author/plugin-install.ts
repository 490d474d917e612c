import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { type Installation, installLibrary } from '../../authoring/installation.js';
import type { BackworksConfig } from '../../config/types.js';
import { BackworksError, EXIT } from '../../errors.js';
import type { CommandContext, ExitCode } from '../command/command.js';
import { readConfig } from '../command/config-file.js';
import { listenForInterrupt } from '../command/interrupt.js';
import { openLibraryReader } from '../command/library-reader.js';
import { cellText, printJson } from '../terminal/print.js';
import type { Screen } from '../terminal/screen.js';

export interface InstallOptions {
  /** Default: the first directory of the configuration's `auto_discover`, else ./plugins. */
  readonly to?: string;
  readonly force?: boolean;
}

const DEFAULT_DIRECTORY = 'plugins';
const DIGEST_SHOWN = 12;

/** `backworks plugin install PATH`: checks a library and copies it to a directory of plugins. */
export async function pluginInstall(
  context: CommandContext,
  library: string,
  { to, force = false }: InstallOptions,
): Promise<ExitCode> {
  const config = await configOf(context);
  const directory = resolve(to ?? config?.autoDiscover.directories[0] ?? DEFAULT_DIRECTORY);
  const interrupt = listenForInterrupt();
  try {
    const wish = { library: resolve(library), directory, force, signal: interrupt.signal };
    const installation = await installLibrary(wish, openLibraryReader());
    report(context, installation, entryFor(installation, config));
    return EXIT.ok;
  } catch (error) {
    const stopped = interrupt.exitCode();
    if (stopped === null) throw error;
    context.err.line('stopped: nothing was installed');
    return stopped;
  }
}

/** Without a configuration file, the library is still installed. @throws ConfigError */
async function configOf(context: CommandContext): Promise<BackworksConfig | null> {
  try {
    return (await readConfig(context)).config;
  } catch (error) {
    if (
      error instanceof BackworksError &&
      error.code === 'BW_CONFIG_NOT_FOUND' &&
      context.config === undefined
    )
      return null;
    throw error;
  }
}

/** The entry that the configuration needs; null when the server finds the library by itself. */
function entryFor({ metadata, path }: Installation, config: BackworksConfig | null): string | null {
  const { enabled, directories } = config?.autoDiscover ?? { enabled: false, directories: [] };
  if (enabled && directories.includes(dirname(path))) return null;
  if (config?.plugins.some((plugin) => plugin.path === path) === true) return null;
  const way = relative(config?.file ? dirname(config.file) : process.cwd(), path);
  const isBelow = !way.startsWith(`..${sep}`) && !isAbsolute(way);
  const shown = isBelow ? `./${way.split(sep).join('/')}` : path;
  return `plugins:\n  ${metadata.name}: { path: ${JSON.stringify(shown)} }`;
}

function report({ out, json }: CommandContext, installation: Installation, entry: string | null): void {
  const { metadata, path, digest, unchanged, replaced } = installation;
  const { name, version } = metadata;
  if (json) {
    const before = replaced && { name: replaced.name, version: replaced.version };
    printJson(out, { plugin: name, version, path, sha256: digest, unchanged, replaced: before, entry });
    return;
  }
  const what = cellText(`${name} ${version} (${digest.slice(0, DIGEST_SHOWN)}) is in ${path}`);
  out.line(`${out.style('green', unchanged ? 'unchanged' : 'installed')} ${what}`);
  if (replaced !== null && !unchanged)
    out.line(`replaced ${cellText(`${replaced.name} ${replaced.version}`)}`);
  printNext(out, installation, entry);
}

function printNext(out: Screen, { metadata: { name }, path }: Installation, entry: string | null): void {
  if (entry === null) {
    out.line(`the configuration finds it; backworks plugin load ${name} makes a running server load it`);
    return;
  }
  out.line('add to backworks.yaml:');
  for (const line of entry.split('\n')) out.line(`  ${cellText(line) === '' ? '' : line}`);
  out.line(`backworks config template ${cellText(path)} prints every setting`);
}
