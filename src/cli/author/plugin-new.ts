import { relative, resolve } from 'node:path';
import { nearest } from '../../config/source/nearest.js';
import { BackworksError, EXIT } from '../../errors.js';
import { type Catalog, isOffered, type Kind, type Language, readCatalog } from '../../templates/catalog.js';
import { checkPluginName } from '../../templates/plugin-name.js';
import { projectCommands, projectFiles } from '../../templates/project-files.js';
import { writeProject } from '../../templates/write-project.js';
import { ask, canAsk, choose } from '../terminal/ask.js';
import type { CommandContext, ExitCode } from '../command/command.js';
import { cellText, printJson } from '../terminal/print.js';

export interface NewArguments {
  readonly lang?: string;
  readonly template?: string | undefined;
  readonly directory?: string;
  readonly force?: boolean;
  readonly list?: boolean;
}

/** `backworks plugin new NAME`: writes the project of a new plugin. On a terminal it asks for what is missing. */
export async function pluginNew(
  context: CommandContext,
  name: string | undefined,
  { lang, template, directory, force = false, list = false }: NewArguments,
): Promise<ExitCode> {
  const catalog = readCatalog();
  if (list) return printCatalog(context, catalog);
  const named = name ?? (await askName(context));
  // A wrong name is reported before the next question.
  checkPluginName(named, lang ?? '');
  const language = await findLanguage(context, catalog, lang);
  checkPluginName(named, language.id);
  const kind = await findKind(context, catalog, language, template, lang === undefined);
  const target = resolve(directory ?? named);
  const files = projectFiles(named, language, kind);
  writeProject(target, files, language, force);
  const shown = cellText(relative(process.cwd(), target) || '.');
  const { build, test } = projectCommands(named, language);
  const next = [
    ...(shown === '.' ? [] : [`cd ${shown}`]),
    build,
    `${test} && node --test test/http.test.mjs`,
    'npx backworks start',
  ];
  const written = [
    ...files.keys(),
    ...language.sdk.map(([, to]) => `${to}${to.includes('.') ? '' : '/'}`),
  ].sort();
  if (context.json) {
    const facts = { name: named, language: language.id, template: kind.id, directory: target };
    printJson(context.out, { ...facts, files: written, next });
    return EXIT.ok;
  }
  const { out } = context;
  out.line(`${out.style('green', '✓')} ${named}: ${kind.title}, in ${language.title}`);
  for (const file of written) out.line(`  ${cellText(`${shown}/${file}`)}`);
  out.line('\nnext:');
  for (const command of next) out.line(`  ${command}`);
  return EXIT.ok;
}

async function askName({ out, json }: CommandContext): Promise<string> {
  if (json || !canAsk(out)) {
    throw new BackworksError('BW_USAGE', "missing required argument 'name'", {
      hint: 'backworks plugin new my-plugin --lang c',
    });
  }
  return (await ask('name of the plugin: ')).trim();
}

async function findLanguage(
  context: CommandContext,
  { languages }: Catalog,
  given?: string,
): Promise<Language> {
  const id =
    given ??
    (context.json || !canAsk(context.out) ? undefined : await choose(context.out, 'language:', languages));
  return oneOf(languages, id, 'language', '--lang');
}

/** Without a terminal, and when the other options are given, the template is basic. */
async function findKind(
  context: CommandContext,
  { kinds }: Catalog,
  language: Language,
  given: string | undefined,
  asks: boolean,
): Promise<Kind> {
  const offered = kinds.filter((kind) => isOffered(language, kind));
  const isAsked = given === undefined && asks && !context.json && canAsk(context.out);
  const id = isAsked ? await choose(context.out, 'template:', offered) : (given ?? 'basic');
  const kind = oneOf(kinds, id, 'template', '--template');
  if (offered.includes(kind)) return kind;
  throw new BackworksError('BW_USAGE', `there is no template ${kind.id} in ${language.title}`, {
    hint: `${language.title} has ${offered.map((each) => each.id).join(', ')}; backworks plugin new --list shows all`,
  });
}

function oneOf<T extends { readonly id: string }>(
  all: readonly T[],
  id: string | undefined,
  what: string,
  option: string,
): T {
  const ids = all.map((each) => each.id);
  const found = all.find((each) => each.id === id);
  if (found !== undefined) return found;
  const message = id === undefined ? `${option} is missing` : `there is no ${what} "${id.slice(0, 80)}"`;
  const near = id === undefined ? undefined : nearest(id, ids);
  const list = `one of ${ids.join(', ')}`;
  throw new BackworksError('BW_USAGE', message, {
    hint: near === undefined ? list : `did you mean ${near}? ${list}`,
  });
}

function printCatalog({ out, json }: CommandContext, { languages, kinds }: Catalog): ExitCode {
  if (json) {
    printJson(out, {
      templates: kinds.map((kind) => ({
        name: kind.id,
        description: kind.title,
        languages: languages.filter((language) => isOffered(language, kind)).map(({ id }) => id),
      })),
    });
    return EXIT.ok;
  }
  const width = Math.max(...kinds.map(({ id }) => id.length)) + 2;
  const columns = languages.map(({ id }) => id.padEnd(6)).join('');
  out.line(out.style('bold', `${'TEMPLATE'.padEnd(width)}${columns}WHAT THE PLUGIN DOES`));
  for (const kind of kinds) {
    const marks = languages.map((language) => (isOffered(language, kind) ? 'yes' : '-').padEnd(6)).join('');
    out.line(`${kind.id.padEnd(width)}${marks}${kind.title}`);
  }
  return EXIT.ok;
}
