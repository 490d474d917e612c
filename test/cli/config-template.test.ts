import { afterAll, expect, test } from '@jest/globals';
import { compilePlugin } from '../fixtures/compile.js';
import { backworks, scratch } from './command.js';

const directory = scratch();
afterAll(() => directory.remove());
const cwd = directory.path;
const template = (...args: string[]) => backworks(['config', 'template', ...args], { cwd });
const check = (text: string) => backworks(['config', 'check', directory.write('pasted.yaml', text)], { cwd });

test('the block of a library is valid as printed, and lists the optional settings', async () => {
  const { code, stdout, stderr } = await template(compilePlugin('config_schema'));
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(
    /^# yaml-language-server: \$schema=\S+\/backworks\.v1\.json\nplugins:\n {2}config-schema:\n {4}# config-schema 1\.2\.0: Has a schema/,
  );
  expect(stdout).toContain('    # priority: 20\n');
  expect(stdout).toContain('    #   network:\n');
  expect(stdout).toContain(
    '      # Required. A string of at least 8 characters.\n      api_key: change-me\n',
  );
  expect(stdout).toContain('      # "metric" or "imperial". Default: "metric".\n      # units: metric\n');
  expect(await check(stdout)).toMatchObject({ code: 0, stderr: '' });
  // Every optional setting is valid as well.
  const [head, config] = stdout.split('    config:\n') as [string, string];
  const offered = config.replace(/^( +)# (?=[ a-z_]+:( |$)| {2})/gm, '$1');
  expect(offered).toContain('\n      units: metric\n');
  expect(await check(`${head}    config:\n${offered}`)).toMatchObject({ code: 0, stderr: '' });
});

test('a configured plugin is found by its name, and --json prints the facts', async () => {
  directory.write('backworks.yaml', `plugins:\n  mine: { path: ${compilePlugin('echo')} }\n`);
  const { stdout } = await template('mine', '--json');
  const facts = JSON.parse(stdout) as { template: string };
  expect(facts).toMatchObject({ name: 'mine', version: '1.0.0', config_schema: null, problems: [] });
  expect((await check(facts.template)).code).toBe(0);
  const unknown = await template('other');
  expect(unknown.code).toBe(4);
  expect(unknown.stderr).toMatch(/^BW_PLUGIN_UNKNOWN: no plugin is named "other"/);
  expect((await template(compilePlugin('schema_deep'))).stderr).toMatch(/^BW_PLUGIN_METADATA: .*nested/);
});
