import {
  bulkhead,
  circuitBreaker,
  ConsecutiveBreaker,
  handleAll,
  timeout,
  TimeoutStrategy,
  wrap,
} from 'cockatiel';
import { Deferred } from '../../dist/deferred.js';
import { DeadlineTimer } from '../../dist/execution/deadline.js';
import { PluginExecutor } from '../../dist/execution/executor.js';
import { PluginMetrics } from '../../dist/metrics/plugin-metrics.js';
import { parseConfig } from '../../dist/index.js';
import { inFlight } from '../call-loops.mjs';
import { serveTasks } from '../peer-tasks.mjs';

/** Few enough that Node does not warn about the listeners that cockatiel's timeout() adds for each call. */
const WIDTH = 8;
const CALL_MS = 100;

/** A call that takes no time, so that only its guards are measured. Its answer arrives later, as a runner's does. */
const operation = () => {
  const answer = new Deferred();
  queueMicrotask(() => answer.resolve(null));
  return answer;
};
const work = { begin: operation, read: (reply) => reply };

const GUARDS = {
  none: () => operation,

  executor() {
    const yaml = 'plugins: { bench: { type: external, path: /bench.so } }';
    const { config } = parseConfig(yaml, { directory: '/' });
    const { timeouts, ...settings } = config.plugins[0];
    const executor = new PluginExecutor({
      plugin: 'bench',
      settings: { ...settings, timeouts: { ...timeouts, callMs: CALL_MS } },
      timer: new DeadlineTimer(),
      metrics: new PluginMetrics(),
      onCircuitChange() {},
    });
    return () => executor.run('before_request', work);
  },

  /** The same guards as the library composes them, without metrics. */
  cockatiel() {
    const policy = wrap(
      circuitBreaker(handleAll, { halfOpenAfter: 10_000, breaker: new ConsecutiveBreaker(5) }),
      bulkhead(WIDTH, 0),
      timeout(CALL_MS, TimeoutStrategy.Aggressive),
    );
    return () => policy.execute(operation);
  },
};

const call = GUARDS[process.argv[2]]();
const check = (answer) => {
  if (answer !== null) throw new Error(`unexpected answer: ${String(answer)}`);
};
serveTasks({
  handle: async ({ milliseconds }) => ({ perCall: await inFlight(call, check, WIDTH, milliseconds) }),
});
