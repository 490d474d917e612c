import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of this package, where the templates and the SDKs are. */
export const PACKAGE = fileURLToPath(new URL('../..', import.meta.url));
const TEMPLATES = join(PACKAGE, 'templates');

/** A language in which plugins can be made: templates/languages/ID/language.json. */
export interface Language {
  readonly id: string;
  readonly title: string;
  /** What has to be installed, besides Node.js. */
  readonly needs: string;
  /** The library that the build makes, as a path in the project. */
  readonly library: string;
  /** Builds the library, as a line of a shell. */
  readonly build: string;
  /** Runs the unit tests, as a line of a shell. */
  readonly test: string;
  /** Where the plugin's code is, as a path in the project. */
  readonly source: string;
  /** Parts of this package that every project gets a copy of: path in the package, path in the project. */
  readonly sdk: readonly (readonly [from: string, to: string])[];
}

/** What a plugin does at first: templates/kinds/ID/kind.json. */
export interface Kind {
  readonly id: string;
  /** One phrase: what the plugin does. */
  readonly title: string;
}

export interface Catalog {
  readonly languages: readonly Language[];
  readonly kinds: readonly Kind[];
}

/** Reads the languages and kinds, in the order of their `rank`. */
export function readCatalog(): Catalog {
  return {
    languages: readAll<Language>('languages', 'language.json'),
    kinds: readAll<Kind>('kinds', 'kind.json'),
  };
}

function readAll<T extends { id: string }>(folder: string, file: string): T[] {
  return readdirSync(join(TEMPLATES, folder))
    .map((id) => {
      const facts = JSON.parse(readFileSync(join(TEMPLATES, folder, id, file), 'utf8')) as T;
      return { ...facts, id } as T & { rank: number };
    })
    .sort((a, b) => a.rank - b.rank);
}

/** Whether there is a template of a kind in a language. */
export function isOffered(language: Language, kind: Kind): boolean {
  return statSync(sourcesOf(language, kind), { throwIfNoEntry: false })?.isDirectory() === true;
}

/** The folder with the plugin's own sources. */
function sourcesOf(language: Language, kind: Kind): string {
  return join(TEMPLATES, 'languages', language.id, kind.id);
}

/** The folders whose files make up a project. A file of a later folder replaces an earlier one. */
export function layersOf(language: Language, kind: Kind): string[] {
  return [
    join(TEMPLATES, 'kinds', kind.id, 'project'),
    join(TEMPLATES, 'languages', language.id, 'project'),
    sourcesOf(language, kind),
    join(TEMPLATES, 'project'),
  ];
}
