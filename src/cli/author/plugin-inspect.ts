import { resolve } from 'node:path';
import { type Inspection, inspectLibrary } from '../../authoring/inspection.js';
import { EXIT } from '../../errors.js';
import type { LibraryFacts } from '../../native/library/facts/index.js';
import type { CommandContext, ExitCode } from '../command/command.js';
import { openLibraryReader } from '../command/library-reader.js';
import { cellText, printJson } from '../terminal/print.js';
import type { Screen } from '../terminal/screen.js';

const LABEL_WIDTH = 14;
/** Exported symbols that are printed. `--json` has all of them. */
const SYMBOLS_SHOWN = 24;
const ABI_SYMBOLS: readonly string[] = ['plugin_info', 'plugin_vtable', 'backworks_extensions'];
const SYSTEMS = { elf: 'ELF', pe: 'PE (Windows)', 'mach-o': 'Mach-O (macOS)' } as const;

/** `backworks plugin inspect LIB`: the facts of a file and, if it is a plugin, what it says about itself. */
export async function pluginInspect(context: CommandContext, library: string): Promise<ExitCode> {
  const inspection = await inspectLibrary(resolve(library), openLibraryReader());
  if (context.json) printJson(context.out, document(inspection));
  else print(context.out, inspection);
  return inspection.facts === null ? EXIT.plugin : EXIT.ok;
}

function print(screen: Screen, inspection: Inspection): void {
  const { path, problem } = inspection;
  screen.line(screen.style('bold', cellText(path)));
  for (const [label, lines] of [...fileSections(inspection), ...pluginSections(inspection)]) {
    lines.forEach((line, index) => {
      const head = screen.style('dim', (index === 0 ? label : '').padEnd(LABEL_WIDTH));
      screen.line(`  ${head} ${cellText(line)}`);
    });
  }
  if (problem === null) return;
  const hint = problem.hint === undefined ? '' : screen.style('dim', ` — ${cellText(problem.hint)}`);
  screen.line(
    `  ${screen.style('yellow', 'not described'.padEnd(LABEL_WIDTH))} ${cellText(problem.message)}${hint}`,
  );
}

type Sections = [label: string, lines: readonly string[]][];

function fileSections({ sizeBytes, digest, facts, hasDebugInformation: debug }: Inspection): Sections {
  const known: Sections = [
    ['size', [`${sizeBytes.toLocaleString('en-US')} bytes`]],
    ['sha256', digest === null ? [] : [digest]],
  ];
  if (facts === null) return known;
  const debugText =
    debug === null ? [] : [debug ? 'yes' : 'none: build with -g, so that post-mortems name lines'];
  return [
    [
      'format',
      [`${SYSTEMS[facts.format]} ${facts.kind.replace('-', ' ')} for ${facts.architectures.join(', ')}`],
    ],
    ...known,
    ['c library', facts.libc === null ? [] : [libcText(facts)]],
    ['needs', facts.needed],
    ['run path', facts.runpath],
    ['soname', facts.soname === null ? [] : [facts.soname]],
    ['debug info', debugText],
    ['exports', exportLines(facts)],
  ];
}

function libcText({ libc, glibcFloor }: LibraryFacts): string {
  return glibcFloor === null ? `${libc}` : `${libc}, version ${glibcFloor} or newer`;
}

function exportLines({ exports }: LibraryFacts): string[] {
  const names = sorted(exports);
  const rest = names.length - SYMBOLS_SHOWN;
  return [...names.slice(0, SYMBOLS_SHOWN), ...(rest > 0 ? [`and ${rest} more, which --json lists`] : [])];
}

/** The symbols of the plugin ABI first. */
function sorted(exports: ReadonlySet<string>): string[] {
  const others = [...exports].filter((name) => !ABI_SYMBOLS.includes(name)).sort();
  return [...ABI_SYMBOLS.filter((name) => exports.has(name)), ...others];
}

function pluginSections({ description, metadata }: Inspection): Sections {
  if (description === null) return [];
  const { name, version, abiVersion = null, functions, threadSafe } = description;
  const about: Sections = [
    ['plugin', [`${name} ${version}`, description.description]],
    ['abi', [abiVersion === null ? 'the two symbols only, without extensions' : `version ${abiVersion}`]],
    ['functions', [[...functions].join(', ') || 'none']],
    ['thread-safe', [threadSafe ? 'yes' : 'no']],
  ];
  if (metadata === null) return about;
  const { hooks, capabilities, dependencies, permissions, configSchema, author, license } = metadata;
  return [
    ...about,
    ['author', author === null ? [] : [author]],
    ['license', license === null ? [] : [license]],
    ['hooks', [[...hooks].join(', ') || 'none']],
    ['operations', capabilities],
    ['depends on', dependencies.map(dependencyText)],
    ['permissions', permissions === null ? [] : [JSON.stringify(permissions)]],
    ['configuration', [configSchema === null ? 'no schema' : 'has a schema: backworks plugin docs shows it']],
  ];
}

function dependencyText(dependency: NonNullable<Inspection['metadata']>['dependencies'][number]): string {
  const { kind, name, version, optional } = dependency;
  return `${kind} ${name} ${version}${optional ? ' (optional)' : ''}`;
}

function document({ path, facts, metadata, description, problem, ...file }: Inspection): object {
  return {
    path,
    size_bytes: file.sizeBytes,
    sha256: file.digest,
    file: facts && {
      format: facts.format,
      kind: facts.kind,
      architectures: facts.architectures,
      libc: facts.libc,
      glibc_floor: facts.glibcFloor,
      needed: facts.needed,
      runpath: facts.runpath,
      soname: facts.soname,
      debug_info: file.hasDebugInformation,
      exports: sorted(facts.exports),
    },
    plugin: description && {
      name: description.name,
      version: description.version,
      description: description.description,
      abi_version: description.abiVersion ?? null,
      functions: [...description.functions],
      thread_safe: description.threadSafe,
      manifest: description.manifest,
    },
    metadata: metadata && {
      author: metadata.author,
      license: metadata.license,
      hooks: [...metadata.hooks],
      capabilities: metadata.capabilities,
      dependencies: metadata.dependencies,
      permissions: metadata.permissions,
      config_schema: metadata.configSchema,
      priority: metadata.priority,
      critical: metadata.critical,
      body: metadata.body,
      max_execution_time_ms: metadata.maxExecutionTimeMs,
    },
    problem: problem && { code: problem.code, message: problem.message, hint: problem.hint ?? null },
  };
}
