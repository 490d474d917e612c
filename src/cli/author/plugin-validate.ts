import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { validateConfigured, validatePlugin } from '../../backworks.js';
import { readPluginConfig } from '../../config/load/plugin-config-file.js';
import { BackworksError, EXIT } from '../../errors.js';
import { isUnchecked } from '../../validation/report.js';
import type { ValidationReport, ValidationWish } from '../../validation/validate.js';
import type { CommandContext, ExitCode } from '../command/command.js';
import { readConfig } from '../command/config-file.js';
import { isLibraryPath } from '../command/library-path.js';
import { printJson } from '../terminal/print.js';
import { reportDocument } from './validation-document.js';
import { junitReport } from './validation-junit.js';
import { printReport, saveName } from './validation-report.js';

export interface ValidateArguments {
  /** A file with the `config:` block of the plugin. */
  readonly pluginConfig?: string;
  readonly seconds?: string;
  readonly cases?: string;
  readonly seed?: string;
  /** Only ordinary input. */
  readonly quick?: boolean;
  /** Also runs what needs a process without a sandbox. */
  readonly withoutSandbox?: boolean;
  /** A check that could not run is a failure. */
  readonly strict?: boolean;
  /** File for a report in the form of JUnit. */
  readonly junit?: string;
  /** Directory for the inputs that lead to findings. */
  readonly saveInput?: string;
}

const SECONDS_MAX = 86_400;
const CASES_MAX = 10_000_000;
const SEED_MAX = 2 ** 32 - 1;

/**
 * `backworks plugin validate PATH|NAME…`: validates plugins one after the other, so that they do not disturb
 * each other's timings. A library path runs with the default policy, a configured plugin with its own.
 */
export async function pluginValidate(
  context: CommandContext,
  which: readonly string[],
  given: ValidateArguments = {},
): Promise<ExitCode> {
  const { out, err, env, json } = context;
  const { pluginConfig, strict = false, junit, saveInput, withoutSandbox = false } = given;
  if (pluginConfig !== undefined && which.length > 1)
    throw new BackworksError('BW_USAGE', '--plugin-config works with one plugin only');
  const progress = (name: string): void => {
    if (err.terminal) err.write(`\r\u001b[K${err.style('dim', `checking ${name} …`)}`);
  };
  const wish: ValidationWish = { ...amounts(given), withoutSandbox, progress };
  const block = pluginConfig === undefined ? undefined : await readPluginConfig(resolve(pluginConfig), env);
  const reports: ValidationReport[] = [];
  for (const each of which) {
    const report =
      isLibraryPath(each) || existsSync(each)
        ? await validatePlugin(resolve(each), block, wish)
        : await validateConfigured((await readConfig(context)).config, each, env, block, wish);
    if (err.terminal) err.write('\r\u001b[K');
    reports.push(report);
    if (saveInput !== undefined) await writing(saveInput, saveInputs(resolve(saveInput), report));
    if (!json) printReport(out, report, saveInput ?? null);
  }
  if (junit !== undefined) await writing(junit, writeFile(resolve(junit), junitReport(reports, strict)));
  const valid = reports.filter(
    ({ ok, checks }) => ok && !(strict && checks.some(({ outcome }) => isUnchecked(outcome))),
  ).length;
  const ok = valid === reports.length;
  if (json) printJson(out, { ok, strict, plugins: reports.map(reportDocument) });
  else if (reports.length > 1) out.line(`${valid} of ${reports.length} plugins are valid`);
  if (!ok && !json && reports.every((report) => report.ok))
    err.line('--strict: some checks could not run, so the result is not a success');
  return ok ? EXIT.ok : EXIT.plugin;
}

/** @throws BackworksError BW_USAGE */
function amounts({ seconds, cases, seed, quick = false, withoutSandbox }: ValidateArguments): ValidationWish {
  if (quick && (seconds ?? cases) !== undefined)
    throw new BackworksError('BW_USAGE', '--quick makes no random input: leave out --seconds and --cases');
  if (quick && withoutSandbox === true)
    throw new BackworksError('BW_USAGE', '--quick runs no valgrind: leave out --without-sandbox');
  if (seconds !== undefined && cases !== undefined)
    throw new BackworksError('BW_USAGE', '--seconds and --cases both say how long to fuzz: give one of them');
  return {
    quick,
    ...(seconds === undefined ? {} : { seconds: amount('--seconds', seconds, [1, SECONDS_MAX]) }),
    ...(cases === undefined ? {} : { cases: amount('--cases', cases, [0, CASES_MAX]) }),
    ...(seed === undefined ? {} : { seed: amount('--seed', seed, [0, SEED_MAX]) }),
  };
}

/** @throws BackworksError BW_USAGE */
function amount(option: string, text: string, [min, max]: readonly [min: number, max: number]): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  const message = `${option} expects a whole number from ${min} to ${max}, not ${JSON.stringify(text)}`;
  throw new BackworksError('BW_USAGE', message);
}

/** Writes the document of each input, and the body that `plugin call` needs to make the call again. */
async function saveInputs(directory: string, report: ValidationReport): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const { name, input } of report.checks) {
    if (input === null) continue;
    const file = join(directory, saveName(report, name));
    await writeFile(`${file}.json`, input.document);
    if (input.body !== null) await writeFile(`${file}.body`, input.body);
  }
}

/** @throws BackworksError BW_USAGE when the file cannot be written */
async function writing(file: string, step: Promise<void>): Promise<void> {
  try {
    await step;
  } catch (cause) {
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
    throw new BackworksError('BW_USAGE', `${file} cannot be written (${code})`, { cause });
  }
}
