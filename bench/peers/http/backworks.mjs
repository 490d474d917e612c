import { createBackworks, parseConfig } from '../../../dist/index.js';
import { announce } from './announce.mjs';
import { configuration } from './configuration.mjs';

/**
 * Backworks within this process. Arguments: the list of plugins as JSON; the name of the plugin that answers,
 * or nothing for a constant answer.
 */
const yaml = configuration(JSON.parse(process.argv[2]), process.argv[3]);
const say = (level) => (_fields, message) => process.stderr.write(`backworks: ${level}: ${message}\n`);
const log = { debug() {}, info() {}, warn: say('warn'), error: say('error') };
const backworks = createBackworks(parseConfig(yaml, { directory: '/' }).config, { log });
const { url } = await backworks.start();
announce(url, () => backworks.stop());
