import { createBackworks, parseConfig } from '../../../dist/index.js';
import { ANSWER, ENDPOINT } from '../../plugin/payload.mjs';
import { announce } from './announce.mjs';

/**
 * Backworks as `backworks start` runs it.
 * Arguments: JSON, a list of `{ name, path, isolation, instances, config }`; the name of the one that
 * answers, or nothing for a constant answer.
 */
const plugins = Object.fromEntries(
  JSON.parse(process.argv[2]).map(({ name, isolation = 'process', ...entry }) => [
    name,
    // The default queue of 64 refuses calls beyond 65 connections, which is what it is for.
    { type: 'external', isolation, trusted: isolation === 'in-process', limits: { queue: 1024 }, ...entry },
  ]),
);
const answering = process.argv[3];
const endpoint = { path: ENDPOINT, methods: ['GET', 'POST'] };
const target = answering ? { plugin: answering } : { response: { status: 200, body: JSON.parse(ANSWER) } };
// JSON is YAML.
const yaml = JSON.stringify({
  server: { port: 0, body_limit: '4MiB' },
  admin: { enabled: false },
  endpoints: { weather: { ...endpoint, ...target } },
  plugins,
});
const say = (level) => (_fields, message) => process.stderr.write(`backworks: ${level}: ${message}\n`);
const log = { debug() {}, info() {}, warn: say('warn'), error: say('error') };
const backworks = createBackworks(parseConfig(yaml, { directory: '/' }).config, { log });
const { url } = await backworks.start();
announce(url, () => backworks.stop());
