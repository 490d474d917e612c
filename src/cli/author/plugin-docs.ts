import { writeFile } from 'node:fs/promises';
import { basename, extname, resolve } from 'node:path';
import { type Inspection, inspectLibrary } from '../../authoring/inspection.js';
import { htmlPage } from '../../authoring/reference/html.js';
import { markdownPage } from '../../authoring/reference/markdown.js';
import { pluginReference } from '../../authoring/reference/plugin-reference.js';
import { pluginTemplate } from '../../config/plugin-schema/template.js';
import { vetSchema } from '../../config/plugin-schema/vet.js';
import { BackworksError, EXIT } from '../../errors.js';
import type { PluginMetadata } from '../../plugins/metadata.js';
import type { CommandContext, ExitCode } from '../command/command.js';
import { openLibraryReader } from '../command/library-reader.js';
import { printJson } from '../terminal/print.js';

export interface DocsOptions {
  /** `md` or `html`. Default: as the file's name says, else `md`. */
  readonly format?: string;
  /** File for the page. Default: standard output. */
  readonly output?: string;
}

const FORMATS: Readonly<Record<string, 'md' | 'html'>> = { md: 'md', html: 'html', htm: 'html' };

/** `backworks plugin docs LIB`: a page about a plugin, made from what the library says about itself. */
export async function pluginDocs(
  { out, json }: CommandContext,
  library: string,
  { format, output }: DocsOptions,
): Promise<ExitCode> {
  const chosen = formatOf(format, output);
  const path = resolve(library);
  const inspection = await inspectLibrary(path, openLibraryReader());
  const { metadata, problem } = inspection;
  if (metadata === null) throw problem ?? new BackworksError('BW_INTERNAL', `${path} was not described`);
  const text = pageOf(chosen, inspection, metadata);
  if (output !== undefined) await write(output, text);
  const { name, version } = metadata;
  if (json) printJson(out, { name, version, format: chosen, file: output ?? null, text });
  else if (output === undefined) out.write(text);
  else out.line(`${out.style('green', 'wrote')} ${output}`);
  return EXIT.ok;
}

/** @throws BackworksError BW_USAGE */
function formatOf(format: string | undefined, output: string | undefined): 'md' | 'html' {
  if (format === undefined) return FORMATS[extname(output ?? '').slice(1)] ?? 'md';
  const known = FORMATS[format];
  if (known !== undefined) return known;
  throw new BackworksError('BW_USAGE', `--format expects md or html, not ${JSON.stringify(format)}`);
}

function pageOf(
  format: 'md' | 'html',
  { path, digest, description }: Inspection,
  metadata: PluginMetadata,
): string {
  const file = basename(path);
  const { name, version, configSchema } = metadata;
  const usable = configSchema === null || vetSchema(configSchema) === null;
  const blocks = pluginReference({
    metadata,
    file,
    digest: digest ?? '',
    servers: serversOf(description?.manifest ?? null),
    entry: usable ? withoutModeline(pluginTemplate({ ...metadata, path: `./plugins/${file}` })) : null,
  });
  return format === 'html' ? htmlPage(`${name} ${version}`, blocks) : markdownPage(blocks);
}

/** The manifest's range of server versions. The manifest was checked when the metadata was read. */
function serversOf(manifest: string | null): string | null {
  const { backworks } = (manifest === null ? {} : JSON.parse(manifest)) as { backworks?: unknown };
  return typeof backworks === 'string' ? backworks : null;
}

/** The block without the line for editors, which belongs at the beginning of a file. */
function withoutModeline(template: string): string {
  return template.slice(template.indexOf('\n') + 1);
}

/** @throws BackworksError BW_USAGE when the file cannot be written */
async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (cause) {
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
    throw new BackworksError('BW_USAGE', `${file} cannot be written (${code})`, { cause });
  }
}
