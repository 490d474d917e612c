import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import { DAYS, ANSWER, KEY } from '../../plugin/payload.mjs';
import { announce, listen } from './announce.mjs';

/**
 * The changes of bench/plugin/changing_plugin.c as middleware of a bare Hono, in JavaScript and within the
 * server's process. Argument: the plugin's configuration as JSON.
 */
const { before, days, after } = JSON.parse(process.argv[2]);
const app = new Hono();
const BEFORE = {
  user: async (c, next) => {
    c.req.raw.headers.set('x-user', '42');
    c.set('user', 42);
    await next();
  },
  key: async (c, next) => {
    if (c.req.header('x-api-key') !== KEY) return c.json({ error: 'no valid key' }, 401);
    await next();
  },
};
const AFTER = {
  header: async (c, next) => {
    await next();
    c.header('x-served-by', 'bench');
  },
  body: async (c, next) => {
    await next();
    const body = await c.res.json();
    c.res = c.json({ ...body, sky: 'cloudy' });
  },
};
if (before !== undefined) app.use(BEFORE[before]);
if (after !== undefined) app.use(AFTER[after]);
const answer = JSON.parse(days ? DAYS : ANSWER);
app.get('/weather/:city', (c) => c.json(answer));
announce(await listen(createAdaptorServer({ fetch: app.fetch })));
