import { isFailure, isUnchecked, type ValidationCheck } from '../../validation/report.js';
import type { ValidationReport } from '../../validation/validate.js';

/**
 * The reports in the form of JUnit: a suite for each plugin, a case for each check.
 * @param strict a check that could not run is a failure
 */
export function junitReport(reports: readonly ValidationReport[], strict: boolean): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
${reports.map((report) => suite(report, strict)).join('\n')}
</testsuites>
`;
}

function suite({ path, checks, metadata }: ValidationReport, strict: boolean): string {
  const count = (matches: (check: ValidationCheck) => boolean): number => checks.filter(matches).length;
  const failures = count((check) => isFailed(check, strict));
  const skipped = count((check) => isUnchecked(check.outcome) && !isFailed(check, strict));
  const seconds = checks.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1000;
  const name = metadata === null ? path : `${metadata.name} ${metadata.version}`;
  const counts = `tests="${checks.length}" failures="${failures}" errors="0" skipped="${skipped}"`;
  const head = `  <testsuite name="${escaped(name)}" file="${escaped(path)}" ${counts} time="${seconds.toFixed(3)}">`;
  return [head, ...checks.map((check) => testCase(check, name, strict)), '  </testsuite>'].join('\n');
}

function testCase(check: ValidationCheck, suiteName: string, strict: boolean): string {
  const { name, outcome, detail, hint, stderr, input, durationMs } = check;
  const time = (durationMs / 1000).toFixed(3);
  const head = `    <testcase name="${escaped(name)}" classname="${escaped(suiteName)}" time="${time}"`;
  if (isFailed(check, strict)) {
    const lines = [detail, hint, ...stderr, input && `input: ${input.document}`];
    const text = lines.filter((line) => line !== null).join('\n');
    const failure = `      <failure type="${outcome}" message="${escaped(detail)}">${escaped(text)}</failure>`;
    return `${head}>\n${failure}\n    </testcase>`;
  }
  if (isUnchecked(check.outcome))
    return `${head}>\n      <skipped message="${escaped(detail)}"/>\n    </testcase>`;
  if (outcome !== 'warning') return `${head}/>`;
  return `${head}>\n      <system-out>warning: ${escaped(detail)}</system-out>\n    </testcase>`;
}

function isFailed({ outcome }: ValidationCheck, strict: boolean): boolean {
  return isFailure(outcome) || (strict && isUnchecked(outcome));
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** XML has no form for most control characters, so they are replaced. */
function escaped(text: string): string {
  return (
    text
      // eslint-disable-next-line no-control-regex -- these are the characters that XML forbids
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu, '\ufffd')
      .replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character)
  );
}
