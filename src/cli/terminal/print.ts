import { oneLine } from '../../printable.js';
import { type Screen, type Style } from './screen.js';

/** Prints a value as JSON for programs, indented on a terminal. */
export function printJson(screen: Screen, value: unknown): void {
  screen.line(JSON.stringify(value, null, screen.terminal ? 2 : undefined));
}

export interface Column<Row> {
  readonly title: string;
  text(row: Row): string;
  style?(row: Row): Style | null;
  /** If the table is too wide, columns with a rank are dropped, highest rank first. */
  readonly rank?: number | undefined;
}

export interface TableOptions<Row> {
  readonly columns: readonly Column<Row>[];
  /** The last column if it fits in full, else a line of its own below the row. */
  readonly note: Column<Row>;
}

const GAP = '  ';

/**
 * Prints rows in aligned columns that fit the screen.
 * @returns titles of the columns that were dropped
 */
export function printTable<Row>(screen: Screen, rows: readonly Row[], options: TableOptions<Row>): string[] {
  const { note } = options;
  const kept = [...options.columns];
  const width = (columns: readonly Column<Row>[]): number =>
    columns.reduce((sum, column) => sum + widthOf(column, rows) + GAP.length, -GAP.length);

  const noteBelow = width([...kept, note]) > screen.width;
  const left: string[] = [];
  while (width(kept) > screen.width) {
    const ranked = kept.filter((column) => column.rank !== undefined);
    if (ranked.length === 0) break;
    const least = ranked.reduce((a, b) => ((b.rank ?? 0) > (a.rank ?? 0) ? b : a));
    kept.splice(kept.indexOf(least), 1);
    left.push(least.title);
  }

  const hasNotes = rows.some((row) => note.text(row) !== '');
  const shown = hasNotes && !noteBelow ? [...kept, note] : kept;
  const widths = shown.map((column) => widthOf(column, rows));
  const titles = shown.map((column, index) => column.title.toUpperCase().padEnd(widths[index] ?? 0));
  screen.line(screen.style('dim', titles.join(GAP).trimEnd()));
  for (const row of rows) {
    screen.line(
      shown
        .map((column, index) => cell(screen, column, row, widths[index] ?? 0))
        .join(GAP)
        .trimEnd(),
    );
    if (noteBelow && note.text(row) !== '') {
      screen.line(`${GAP}${screen.style('dim', '└')} ${cell(screen, note, row, 0)}`);
    }
  }
  return left;
}

/** Pad before styling: escape sequences have no width. */
function cell<Row>(screen: Screen, column: Column<Row>, row: Row, width: number): string {
  const text = cellText(column.text(row));
  const style = column.style?.(row) ?? null;
  const styled = style === null ? text : screen.style(style, text);
  return styled + ' '.repeat(Math.max(0, width - [...text].length));
}

function widthOf<Row>(column: Column<Row>, rows: readonly Row[]): number {
  return Math.max(column.title.length, ...rows.map((row) => [...cellText(column.text(row))].length));
}

/**
 * Makes an external text safe for a table cell: one line, without double spaces, because double spaces
 * separate columns.
 */
export function cellText(text: string): string {
  return oneLine(text.replace(/\s+/g, ' ').trim());
}
