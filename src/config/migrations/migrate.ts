import { type Document, isScalar, LineCounter, parseDocument, Scalar, type ToStringOptions } from 'yaml';
import { BackworksError } from '../../errors.js';
import { ProblemReport } from '../source/problems.js';
import { readSource } from '../source/source.js';
import { migrateFirstDialect } from './0000-first-dialect.js';
import { lostComments } from './comments.js';
import { EditedDocument, type MigrationNote, withoutAliases } from './edited-document.js';
import { CURRENT_VERSION, VERSION_KEY, versionOf } from './version.js';

/** Entry N is the step from version N to N + 1. Released steps never change. */
const STEPS: readonly ((file: EditedDocument) => void)[] = [migrateFirstDialect];

export interface Migrated {
  readonly from: number;
  readonly to: number;
  /** The same text when there was nothing to migrate. */
  readonly text: string;
  readonly notes: readonly MigrationNote[];
}

/**
 * Migrates the text of a configuration to a later version. Comments and the order of keys are kept.
 * @param name name of the file for messages
 * @throws ConfigError when the text is not well-formed; BackworksError BW_USAGE for a version that cannot be
 * reached
 */
export function migrate(text: string, name: string, to: number = CURRENT_VERSION): Migrated {
  const report = new ProblemReport();
  const source = readSource(text, { name, layer: { kind: 'file' }, environment: {}, report });
  if (source === undefined) return report.fail();
  const from = versionOf(source.value)?.version;
  if (from === undefined || from > CURRENT_VERSION) throw unknown(name, from);
  if (to > CURRENT_VERSION || to < from || !Number.isSafeInteger(to)) {
    const message = `${name} has version ${from} and cannot be migrated to ${to}`;
    throw new BackworksError('BW_USAGE', message, { hint: `the current version is ${CURRENT_VERSION}` });
  }
  if (to === from) return { from, to, text, notes: [] };

  const lines = new LineCounter();
  const document = parse(text, lines);
  const style = styleOf(text, document);
  withoutAliases(document);
  const file = new EditedDocument(document, lines);
  setVersion(file, to);
  for (const step of STEPS.slice(from, to)) step(file);
  const bom = text.startsWith('\uFEFF') ? '\uFEFF' : '';
  const unixText = withLostComments(text, bom + document.toString(style), file);
  // A file from Windows keeps its line ends, so that a diff shows only what changed.
  const migrated = text.includes('\r\n') ? unixText.replaceAll(/\r?\n/g, '\r\n') : unixText;
  return { from, to, text: migrated, notes: file.notes.sort((a, b) => a.line - b.line) };
}

/** Appends each comment that was lost in the migration to the end of the text, and adds a note for each. */
function withLostComments(before: string, after: string, file: EditedDocument): string {
  const lost = lostComments(before, after);
  if (lost.length === 0) return after;
  for (const { line, text } of lost)
    file.note(line, `the comment ${JSON.stringify(text)} is now at the end of the file`);
  const lines = lost.map(({ line, text }) => `# (line ${line}) ${text}`);
  return `${after.trimEnd()}\n\n# comments that could not be placed:\n${lines.join('\n')}\n`;
}

function parse(text: string, lines: LineCounter): Document {
  const options = { version: '1.2', schema: 'core', stringKeys: true, uniqueKeys: false } as const;
  return parseDocument(text, { ...options, lineCounter: lines, logLevel: 'error' });
}

/** The YAML style whose output is closest to the original text. */
function styleOf(text: string, document: Document): ToStringOptions {
  const before = new Set(text.split(/\r?\n/));
  let best: ToStringOptions = { lineWidth: 0 };
  let most = -1;
  for (const indent of [2, 4]) {
    for (const indentSeq of [true, false]) {
      for (const flowCollectionPadding of [true, false]) {
        const style = { indent, indentSeq, flowCollectionPadding, lineWidth: 0 };
        const same = document
          .toString(style)
          .split('\n')
          .filter((line) => before.has(line)).length;
        if (same > most) [best, most] = [style, same];
      }
    }
  }
  return best;
}

/** Puts the version first. Comments at the top of the file stay at the top. */
function setVersion(file: EditedDocument, to: number): void {
  const { root, document } = file;
  if (root === null) return;
  const said = file.entry(root, VERSION_KEY);
  if (said !== undefined) {
    file.setValue(said, to);
    return;
  }
  const key = new Scalar(VERSION_KEY);
  const first = root.items[0]?.key;
  // A comment above the first key is usually about the whole file.
  if (isScalar(first)) {
    key.commentBefore = first.commentBefore ?? null;
    first.commentBefore = null;
  }
  root.items.unshift(document.createPair(key, to));
}

function unknown(name: string, version: number | undefined): BackworksError {
  const what = version === undefined ? 'does not declare a valid version' : `has version ${version}`;
  return new BackworksError(
    'BW_USAGE',
    `${name} ${what}; this program knows versions 0 to ${CURRENT_VERSION}`,
    {
      hint: version === undefined ? `${VERSION_KEY} is a whole number` : 'use a newer Backworks',
    },
  );
}
