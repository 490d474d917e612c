import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Kind, type Language, layersOf } from './catalog.js';

/** A file of a project: its path with "/", and its text. */
export type ProjectFiles = ReadonlyMap<string, string>;

/**
 * The files of a new project, apart from the SDK. README.md is joined from the README.md of every layer.
 * @param name the plugin's name
 */
export function projectFiles(name: string, language: Language, kind: Kind): ProjectFiles {
  const fill = replacer(name, language);
  const files = new Map<string, string>();
  for (const layer of layersOf(language, kind)) {
    for (const path of filesIn(layer)) {
      const target = fill(path.replace(/(^|\/)dot-/g, '$1.'));
      const text = fill(readFileSync(join(layer, path), 'utf8'));
      const earlier = target === 'README.md' ? files.get(target) : undefined;
      files.set(target, earlier === undefined ? text : `${earlier}\n${text}`);
    }
  }
  return files;
}

/** The commands for a project: they build the library, and run the unit tests. */
export function projectCommands(name: string, language: Language): { build: string; test: string } {
  return { build: renamed(language.build, name), test: renamed(language.test, name) };
}

/** Replaces the words that templates/README.md lists. */
function replacer(name: string, language: Language): (text: string) => string {
  const words: Readonly<Record<string, string>> = {
    './MY_LIBRARY': language.library,
    MY_LANGUAGE: language.title,
    MY_NEEDS: language.needs,
    MY_SOURCE: language.source,
    MY_BUILD: language.build,
    MY_TEST: language.test,
  };
  const pattern = new RegExp(Object.keys(words).join('|').replaceAll('.', '\\.'), 'g');
  return (text) =>
    renamed(
      text.replace(pattern, (word) => words[word]!),
      name,
    );
}

/** Gives the plugin of a template its name. */
function renamed(text: string, name: string): string {
  return text.replace(/my([-_])plugin/g, (_all, joint: string) => name.replaceAll('-', joint));
}

/** Paths of the files below a folder, with "/", sorted. */
function filesIn(folder: string, prefix = ''): string[] {
  return readdirSync(join(folder, prefix), { withFileTypes: true })
    .flatMap((entry) => {
      const path = `${prefix}${entry.name}`;
      return entry.isDirectory() ? filesIn(folder, `${path}/`) : [path];
    })
    .sort();
}
