import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ownCache } from '../fixtures/cache.js';
import { compilePlugin } from '../fixtures/compile.js';
import { eventually, startServer, type TestServer } from '../fixtures/server.js';
import { type PluginsBlock, pluginsBlock } from '../plugins/sample-plugins.js';

/** Compares a server that reloads from A to B with a server that was started with B. */
ownCache();
const libraries = [compilePlugin('config_echo'), compilePlugin('reconfigurable')];
const PATHS = ['/x', '/y', '/{z}', '/x/*'];

interface Sample {
  readonly plugins: PluginsBlock;
  /** For each path, the index of the plugin that answers; null for a static answer. */
  readonly targets: readonly (number | null)[];
  readonly bodyLimit: number;
}

const sample: fc.Arbitrary<Sample> = fc.record({
  // With timeouts this long, no call times out on a busy machine.
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
  // JSON is valid YAML. Each key starts a line, because the fixture adds a head by lines.
  return [
    `server: { port: 0, body_limit: ${bodyLimit} }`,
    `endpoints: ${JSON.stringify(Object.fromEntries(endpoints))}`,
    `plugins: ${JSON.stringify(plugins)}`,
  ].join('\n');
}

/** Everything that the configuration decides and that is visible from outside. */
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
  // One request at a time, because a queue may be short.
  for (const path of ['/x', '/y', '/q', '/x/deep', '/']) {
    const { status, body } = await server.get(path);
    answers.push({ path, status, body: stable(body) });
  }
  const long = await fetch(`${server.url}/x`, { method: 'POST', body: 'x'.repeat(100) });
  return { plugins, answers, long: long.status };
}

/** An answer without the members that differ between processes. */
function stable(body: unknown): unknown {
  if (typeof body !== 'object' || body === null) return body;
  const { pid, reconfigured, request_id: id, ...rest } = body as Record<string, unknown>;
  void [pid, reconfigured, id];
  return rest;
}

const isSettled = (server: TestServer): boolean =>
  server.backworks.plugins().every(({ processes }) => processes.every(({ state }) => state !== 'draining'));

test('a reload from A to B gives the same state as a start with B, and a reload back to A restores the first state', async () => {
  await fc.assert(
    fc.asyncProperty(sample, sample, async (a, b) => {
      const started = await startServer(yamlOf(b));
      const reloaded = await startServer(yamlOf(a));
      try {
        const first = await stateOf(reloaded);
        const report = await reloaded.change(yamlOf(b));
        expect(report).toMatchObject({ failed: [], needsRestart: [] });
        await eventually(() => isSettled(reloaded), 'the end of the replaced processes');
        expect(await stateOf(reloaded)).toEqual(await stateOf(started));
        await reloaded.change(yamlOf(a));
        await eventually(() => isSettled(reloaded), 'the end of the replaced processes');
        expect(await stateOf(reloaded)).toEqual(first);
      } finally {
        await Promise.all([started.backworks.stop(), reloaded.backworks.stop()]);
      }
    }),
    { numRuns: 12 },
  );
}, 120_000);
