import { inFlight, inLoop, oneAtATime } from '../../call-loops.mjs';
import { serveTasks } from '../../peer-tasks.mjs';
import { ANSWER } from '../../plugin/payload.mjs';

/**
 * The tasks of the call scenario, for any kind of call that a JavaScript function can wrap:
 * `{"milliseconds":500,"width":64}` → `{"perCall"}`; with width 1 `{"p50","p99"}`. All in microseconds.
 * @param call makes one call. Returns the answer or a promise of it.
 * @param returns whether `call` returns the answer itself. Width 1 then also gives `{"loop"}`.
 */
export function serveCalls(call, { end, returns = false } = {}) {
  const check = (answer) => {
    if (String(answer) !== ANSWER) throw new Error(`unexpected answer: ${String(answer)}`);
  };
  serveTasks({
    handle: async ({ milliseconds, width }) => {
      if (width === 1) {
        const one = await oneAtATime(call, check, milliseconds);
        return returns ? { ...one, loop: inLoop(call, check, milliseconds) } : one;
      }
      return { perCall: await inFlight(call, check, width, milliseconds) };
    },
    end,
  });
}
