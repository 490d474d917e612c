/** `npm run test:supervision [-- --quick]`: supervision tests that take too long for `npm test`. Prints figures. */
import { CRASHES, endings, GARBAGE } from './endings.js';
import { kills } from './kills.js';
import { allHeld } from './report.js';
import { stall } from './stall.js';

const quick = process.argv.includes('--quick');

await kills(quick ? 50 : 450, quick ? 40 : 400, quick ? 10 : 150);
await stall(quick ? 10 : 100);
await endings(CRASHES, quick ? 500 : 10_000);
await endings(GARBAGE, quick ? 200 : 2000);
process.exitCode = allHeld() ? 0 : 1;
