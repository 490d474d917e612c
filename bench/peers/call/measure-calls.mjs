import { inFlight, oneAtATime } from '../../call-loops.mjs';
import { serveTasks } from '../../peer-tasks.mjs';
import { ANSWER } from '../../plugin/payload.mjs';

/**
 * The tasks of the call scenario for any way to call that a JavaScript function can wrap:
 * `{"milliseconds":500,"width":64}` → `{"perCall"}`; with width 1 also `{"p50","p99"}`. Microseconds.
 * @param call makes one call; resolves to or returns the answer
 */
export function serveCalls(call, { end } = {}) {
  const check = (answer) => {
    if (String(answer) !== ANSWER) throw new Error(`unexpected answer: ${String(answer)}`);
  };
  serveTasks({
    handle: async ({ milliseconds, width }) => {
      if (width === 1) return oneAtATime(call, check, milliseconds);
      return { perCall: await inFlight(call, check, width, milliseconds) };
    },
    end,
  });
}
