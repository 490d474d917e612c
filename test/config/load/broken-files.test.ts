/**
 * Loads each file with one mistake and compares the message with the file of the same name and the ending
 * .txt. A line there that begins with $ is a flag or a variable for the load.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { ConfigError, loadConfig, type LoadOptions } from '../../../dist/config/load/load.js';

const folder = fileURLToPath(new URL('../../../test/config/broken/', import.meta.url));
const names = readdirSync(folder).flatMap((file) => /^(.*)\.yaml$/.exec(file)?.[1] ?? []);

interface Expectation {
  readonly options: LoadOptions;
  readonly messages: readonly string[];
}

function readExpectation(name: string): Expectation {
  const lines = readFileSync(`${folder}${name}.txt`, 'utf8').trimEnd().split('\n');
  const given = lines.filter((line) => line.startsWith('$ ')).map((line) => line.slice(2));
  const valuesOf = (flag: string) =>
    given.filter((line) => line.startsWith(`${flag} `)).map((line) => line.slice(flag.length + 1));
  const variables = given.filter((line) => !line.startsWith('--')).map((line) => line.split('='));
  return {
    options: {
      env: Object.fromEntries(variables) as NodeJS.ProcessEnv,
      environment: valuesOf('--env')[0],
      overrides: valuesOf('--set').map((assignment) => ({
        assignment,
        layer: { kind: 'flag', name: '--set' },
      })),
    },
    messages: lines.filter((line) => !line.startsWith('$ ')),
  };
}

async function messagesOf(name: string, options: LoadOptions): Promise<string[]> {
  try {
    await loadConfig(`${folder}${name}.yaml`, options);
    return ['accepted'];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const shown = dirname(error.problems[0]?.file ?? '');
    return error.message
      .split('\n')
      .map((line) => (line.startsWith(`${shown}/`) ? line.slice(shown.length + 1) : line));
  }
}

test.each(names)('%s', async (name) => {
  const { options, messages } = readExpectation(name);
  expect(await messagesOf(name, options)).toEqual(messages);
  expect(messages).toHaveLength(1);
});

test('every broken file has an expected message, and there are many', () => {
  const sentences = readdirSync(folder).flatMap((file) => /^(.*)\.txt$/.exec(file)?.[1] ?? []);
  expect(sentences).toEqual(names);
  expect(names.length).toBeGreaterThan(80);
});
