import { listen } from './announce.mjs';
import { bareHono } from './hono-app.mjs';

// Ctrl-C reaches every process of a terminal. This process exits with its primary.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit(0));
await listen(bareHono());
