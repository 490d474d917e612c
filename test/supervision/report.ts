/** One line of a figure. */
export function figure(name: string, value: string): void {
  process.stdout.write(`  ${name.padEnd(52)} ${value}\n`);
}

let failed = 0;

/** One line of something that must hold; the script fails in the end when it does not. */
export function expectThat(name: string, holds: boolean, found: string): void {
  if (!holds) failed += 1;
  process.stdout.write(`${holds ? '✓' : '✗'} ${name.padEnd(52)} ${found}\n`);
}

export function title(text: string): void {
  process.stdout.write(`\n${text}\n`);
}

/** Whether everything held. */
export function allHeld(): boolean {
  return failed === 0;
}

/** The value below which a share of the sorted list lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
