import { ANSWER, ENDPOINT } from '../../plugin/payload.mjs';

/**
 * No hook is left out: one that fails, fails the request. Nor is a call given up when the machine is
 * busy, as the defaults would have it (100 ms, a queue of 64).
 */
const PATIENT = { critical: true, timeouts: { call: '10s', initialize: '60s' }, limits: { queue: 1024 } };

/**
 * The configuration of a Backworks for the benchmark, as text.
 * @param plugins list of `{ name, path, isolation, instances, config }`
 * @param answering name of the plugin that answers; without one the configuration itself does
 * @param server more of `server:`
 */
export function configuration(plugins, answering, server = {}) {
  const entries = plugins.map(({ name, isolation = 'process', ...entry }) => [
    name,
    { isolation, trusted: isolation === 'in-process', ...PATIENT, ...entry },
  ]);
  const endpoint = { path: ENDPOINT, methods: ['GET', 'POST'] };
  const target = answering ? { plugin: answering } : { response: { status: 200, body: JSON.parse(ANSWER) } };
  // JSON is YAML.
  return JSON.stringify({
    server: { port: 0, body_limit: '4MiB', ...server },
    admin: { enabled: false },
    endpoints: { weather: { ...endpoint, ...target } },
    plugins: Object.fromEntries(entries),
  });
}
