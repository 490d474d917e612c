import { number, withSpread } from './number.mjs';

/** A result as a Markdown table: one row per peer, one column per metric, each value with its spread. */
export function renderTable(result) {
  const { peers, metrics, slopes = [] } = result;
  const shown = metrics.filter(({ key }) => peers.some(({ summary }) => summary?.[key] !== undefined));
  const columns = shown.flatMap((metric) => [valueColumn(metric), ...comparisonColumns(metric)]);
  const rows = peers.map((peer) => [
    peer.name,
    ...(peer.missing === undefined
      ? columns.map(({ cell }) => cell(peer.summary))
      : columns.map((_, index) => (index === 0 ? `not measured: ${peer.missing}` : ''))),
  ]);
  const header = ['', ...columns.map(({ label }) => label)];
  const growth = slopes
    .filter(({ figure }) => figure !== null)
    .map(({ text, figure }) => text.replace('{}', withSpread(figure)));
  const sentences = growth.length === 0 ? [] : [...growth, ''];
  return [...markdownTable(header, rows), '', ...sentences, caption(result)].join('\n');
}

/** @returns lines. Every column except the first is right-aligned. */
export function markdownTable(header, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(header), `|---|${'---:|'.repeat(header.length - 1)}`, ...rows.map(line)];
}

function valueColumn({ key, label, unit }) {
  return {
    label: `${label} (${unit})`,
    cell: (summary) => {
      const value = summary[key];
      return value === undefined ? '–' : withSpread(value);
    },
  };
}

const SIGNS = { ratio: '÷', difference: '−' };

function comparisonColumns({ key, compare }) {
  if (compare === undefined) return [];
  return [
    {
      label: `${SIGNS[compare.by]} ${compare.to}`,
      cell: (summary) => {
        const value = summary[key]?.compared;
        return value === undefined ? '–' : withSpread(value);
      },
    },
  ];
}

function caption({ machine, rounds, takenAt, quick, loadBefore }) {
  const kind = quick ? ', a quick run' : '';
  return [
    `Median of ${number(rounds)} rounds (smallest–largest)${kind}; comparisons are made within each round.`,
    `${machineLine(machine)}; load average before: ${loadBefore}; ${takenAt}.`,
  ].join('\n');
}

export function machineLine({ cpu, cores, system, architecture, node, commit }) {
  const source = commit === null ? '' : `, commit ${commit}`;
  return `${cpu}, ${cores} cores, ${system} ${architecture}, Node ${node}${source}`;
}
