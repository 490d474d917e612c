import { ANSWER, ENDPOINT } from '../../plugin/payload.mjs';

/**
 * With these settings no hook is skipped: a hook that fails also fails the request. No call times out or is
 * refused when the machine is busy.
 */
const PATIENT = { critical: true, timeouts: { call: '10s', initialize: '60s' }, limits: { queue: 1024 } };

/**
 * The configuration of a Backworks server for the benchmark, as text.
 * @param plugins list of `{ name, path, isolation, instances, config }`
 * @param answering name of the plugin that answers. Without it, the answer is in the configuration.
 * @param server further keys of `server:`
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
