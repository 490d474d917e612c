/** Prints a measured value. */
export function figure(name: string, value: string): void {
  process.stdout.write(`  ${name.padEnd(52)} ${value}\n`);
}

let failed = 0;

/** Prints the result of a check. A failed check makes the script fail at its end. */
export function expectThat(name: string, holds: boolean, found: string): void {
  if (!holds) failed += 1;
  process.stdout.write(`${holds ? '✓' : '✗'} ${name.padEnd(52)} ${found}\n`);
}

export function title(text: string): void {
  process.stdout.write(`\n${text}\n`);
}

/** True when every check passed. */
export function allHeld(): boolean {
  return failed === 0;
}

/** The quantile of the values: `share` of them are smaller. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
