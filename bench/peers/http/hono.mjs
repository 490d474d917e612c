import { announce, listen } from './announce.mjs';
import { bareHono } from './hono-app.mjs';

announce(await listen(bareHono()));
