/** The metrics against Prometheus's own linter. */
import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { Cluster } from '../cluster/cluster.js';
import { ownCache } from '../fixtures/cache.js';
import { compilePlugin } from '../fixtures/compile.js';

ownCache();

test('promtool check metrics has no remark on the metrics of a server with workers', async () => {
  const cluster = await Cluster.launch(`
server: { port: 0, workers: 2 }
admin: { port: 0, token: t }
endpoints: { one: { path: /one, plugin: one }, two: { path: /two, response: { body: x } } }
plugins: { one: { path: ${compilePlugin('host_services')} } }
`);
  for (const path of ['/one', '/two', '/three']) await fetch(cluster.url + path);
  await fetch(`${cluster.url}/two`, { method: 'POST', body: 'x' });
  const { text } = await cluster.admin('/metrics');
  await cluster.stop();
  expect(text).toContain('backworks_http_requests_total{endpoint="two",method="POST",status="200"} 1');
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  });
  expect([status, stdout, stderr]).toEqual([0, '', '']);
});
