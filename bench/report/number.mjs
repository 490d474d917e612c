/** Three significant digits, with thousands separators. */
export function number(value) {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}

export function withSpread({ median, min, max }) {
  return `**${number(median)}** (${number(min)}–${number(max)})`;
}
