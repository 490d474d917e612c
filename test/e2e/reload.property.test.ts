import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ownCache } from '../fixtures/cache.js';
import { compilePlugin } from '../fixtures/compile.js';
import { eventually, startServer, type TestServer } from '../fixtures/server.js';
import { type PluginsBlock, pluginsBlock } from '../plugins/sample-plugins.js';

/** A real server that goes from A to B is held against one that was started with B. */
ownCache();
const libraries = [compilePlugin('config_echo'), compilePlugin('reconfigurable')];
const PATHS = ['/x', '/y', '/{z}', '/x/*'];

interface Sample {
  readonly plugins: PluginsBlock;
  /** For each path the plugin that answers, by its place among the plugins; null for a static answer. */
  readonly targets: readonly (number | null)[];
  readonly bodyLimit: number;
}

const sample: fc.Arbitrary<Sample> = fc.record({
  // No plugin is too slow, on whatever machine.
  plugins: pluginsBlock(libraries, 10_000),
  targets: fc.array(fc.option(fc.nat({ max: 3 })), { maxLength: PATHS.length }),
  bodyLimit: fc.constantFrom(10, 1000),
});

function yamlOf({ plugins, targets, bodyLimit }: Sample): string {
  const names = Object.keys(plugins);
  const endpoints = targets.map((target, index) => {
    const name = target === null ? undefined : names[target];
    const answer = name === undefined ? { response: { body: `static ${index}` } } : { plugin: name };
    return [`e${index}`, { path: PATHS[index], ...answer }];
  });
  // A document of JSON is one of YAML; each key starts a line of its own for the fixture's head.
  return [
    `server: { port: 0, body_limit: ${bodyLimit} }`,
    `endpoints: ${JSON.stringify(Object.fromEntries(endpoints))}`,
    `plugins: ${JSON.stringify(plugins)}`,
  ].join('\n');
}

/** Everything of a server that its configuration decides, as the outside sees it. */
async function stateOf(server: TestServer): Promise<unknown> {
  const plugins = server.backworks.plugins().map((plugin) => ({
    name: plugin.name,
    state: plugin.state,
    reason: plugin.reason?.replace(/unloaded|disabled/, 'off') ?? null,
    path: plugin.path,
    version: plugin.state === 'stopped' ? null : plugin.version,
    digest: plugin.state === 'stopped' ? null : plugin.digest,
    isolation: plugin.isolation,
    sandbox: plugin.state === 'stopped' ? plugin.sandbox.mode : plugin.sandbox,
    limits: plugin.limits,
    critical: plugin.critical,
    priority: plugin.priority,
    circuit: plugin.circuit,
    processes: plugin.processes.filter(({ state }) => state === 'ready').length,
  }));
  const answers: unknown[] = [];
  // One after the other: a queue may be short.
  for (const path of ['/x', '/y', '/q', '/x/deep', '/']) {
    const { status, body } = await server.get(path);
    answers.push({ path, status, body: stable(body) });
  }
  const long = await fetch(`${server.url}/x`, { method: 'POST', body: 'x'.repeat(100) });
  return { plugins, answers, long: long.status };
}

/** An answer without what differs from process to process. */
function stable(body: unknown): unknown {
  if (typeof body !== 'object' || body === null) return body;
  const { pid, reconfigured, request_id: id, ...rest } = body as Record<string, unknown>;
  void [pid, reconfigured, id];
  return rest;
}

const isSettled = (server: TestServer): boolean =>
  server.backworks.plugins().every(({ processes }) => processes.every(({ state }) => state !== 'draining'));

test('reloading B in a server of A ends where starting with B does, and reloading A where A did', async () => {
  await fc.assert(
    fc.asyncProperty(sample, sample, async (a, b) => {
      const started = await startServer(yamlOf(b));
      const reloaded = await startServer(yamlOf(a));
      try {
        const first = await stateOf(reloaded);
        const report = await reloaded.change(yamlOf(b));
        expect(report).toMatchObject({ failed: [], needsRestart: [] });
        await eventually(() => isSettled(reloaded), 'the end of what was replaced');
        expect(await stateOf(reloaded)).toEqual(await stateOf(started));
        await reloaded.change(yamlOf(a));
        await eventually(() => isSettled(reloaded), 'the end of what was replaced');
        expect(await stateOf(reloaded)).toEqual(first);
      } finally {
        await Promise.all([started.backworks.stop(), reloaded.backworks.stop()]);
      }
    }),
    { numRuns: 12 },
  );
}, 120_000);
