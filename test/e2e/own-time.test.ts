import { expect, test } from '@jest/globals';
import { ownCache } from '../fixtures/cache.js';
import { compilePlugin } from '../fixtures/compile.js';
import { startServer, type TestServer } from '../fixtures/server.js';

ownCache();

const DURATION = /^backworks_plugin_call_duration_seconds_sum\{plugin="busy",hook="(\w+)"\} (\S+)$/gm;
const OWN = /^backworks_plugin_own_seconds_total\{plugin="busy",hook="(\w+)"\} (\S+)$/gm;

async function readMetrics({ adminUrl, adminToken }: TestServer): Promise<string> {
  const response = await fetch(`${adminUrl}/metrics`, { headers: { authorization: `Bearer ${adminToken}` } });
  return response.text();
}

test.each(['process', 'in-process'])(
  'metrics show how much time of its calls a plugin itself used (isolation: %s)',
  async (isolation) => {
    const server = await startServer(`
endpoints: { compute: { path: /compute, plugin: busy } }
plugins: { busy: { path: ${compilePlugin('busy')}, isolation: ${isolation}, trusted: true, timeouts: { call: 1m } } }`);
    const requests = 20;
    for (let i = 0; i < requests; i += 1) expect((await server.get('/compute')).status).toBe(200);
    const exposition = await readMetrics(server);
    const seconds = new Map([...exposition.matchAll(OWN)].map(([, hook, value]) => [hook, Number(value)]));
    expect([...seconds.keys()].sort()).toEqual(['before_request', 'process_endpoint']);
    expect(seconds.get('process_endpoint')).toBeGreaterThanOrEqual(requests * 0.002);
    expect(seconds.get('before_request')).toBeLessThan(seconds.get('process_endpoint') as number);
    // A call takes at least as long as the plugin ran, also when hooks were called as one batch.
    for (const [, hook, value] of exposition.matchAll(DURATION))
      expect(Number(value)).toBeGreaterThanOrEqual((seconds.get(hook) as number) * 0.999);
    await server.backworks.stop();
  },
);
