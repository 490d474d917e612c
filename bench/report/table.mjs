/** A result as a Markdown table: a row a peer, a column a metric, each with its spread. */
export function renderTable({ peers, metrics, machine, rounds, takenAt, quick, growth }) {
  const shown = metrics.filter(({ key }) => peers.some(({ summary }) => summary?.[key] !== undefined));
  const columns = shown.flatMap((metric) => [valueColumn(metric), ...comparisonColumns(metric)]);
  const header = ['', ...columns.map(({ label }) => label)];
  const rows = peers.map((peer) => [
    peer.name,
    ...(peer.missing === undefined
      ? columns.map(({ cell }) => cell(peer.summary))
      : columns.map((_, index) => (index === 0 ? `not measured: ${peer.missing}` : ''))),
  ]);
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const rule = `|---|${columns.map(() => '---:|').join('')}`;
  const sentence = growth ? [growth, ''] : [];
  const below = caption({ machine, rounds, takenAt, quick });
  return [line(header), rule, ...rows.map(line), '', ...sentence, below].join('\n');
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

function withSpread({ median, min, max }) {
  return `**${number(median)}** (${number(min)}–${number(max)})`;
}

/** Three significant digits, and thousands apart. */
export function number(value) {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}

function caption({ machine, rounds, takenAt, quick }) {
  const { cpu, cores, system, architecture, node, loadBefore } = machine;
  const kind = quick ? ', a quick run' : '';
  return [
    `Median of ${rounds} rounds (smallest–largest)${kind}; comparisons are made within each round.`,
    `${cpu}, ${cores} cores, ${system} ${architecture}, Node ${node}; load average before: ${loadBefore}; ${takenAt}.`,
  ].join('\n');
}
