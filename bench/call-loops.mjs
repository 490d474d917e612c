import { percentile } from './statistics.mjs';

/** One in this many answers is checked, so that a peer with wrong answers does not count as fast. */
const CHECK_EVERY = 1000;

/**
 * Calls repeatedly for `milliseconds`. Each call begins after the answer to the previous one.
 * @param call resolves to, or returns, the answer
 * @returns microseconds: p50, p99 and the mean
 */
export async function oneAtATime(call, check, milliseconds) {
  const times = [];
  const end = performance.now() + milliseconds;
  for (let started = performance.now(); started < end;) {
    const pending = call();
    const answer = typeof pending?.then === 'function' ? await pending : pending;
    const now = performance.now();
    times.push((now - started) * 1000);
    if (times.length % CHECK_EVERY === 1) check(answer);
    started = now;
  }
  return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
}

/**
 * Calls in a loop without reading the clock for each call, because that takes longer than some of the calls.
 * @param call returns the answer, not a promise
 * @returns microseconds per call
 */
export function inLoop(call, check, milliseconds) {
  const started = performance.now();
  const end = started + milliseconds;
  let calls = 0;
  do {
    for (let call64 = 0; call64 < 63; call64++) call();
    check(call());
    calls += 64;
  } while (performance.now() < end);
  return ((performance.now() - started) * 1000) / calls;
}

/**
 * Keeps `width` calls in flight for `milliseconds`: each answer starts another call.
 * @returns microseconds per call
 */
export async function inFlight(call, check, width, milliseconds) {
  const started = performance.now();
  const end = started + milliseconds;
  let calls = 0;
  const caller = async () => {
    do {
      const answer = await call();
      if (calls++ % CHECK_EVERY === 0) check(answer);
    } while (performance.now() < end);
  };
  await Promise.all(Array.from({ length: width }, caller));
  return ((performance.now() - started) * 1000) / calls;
}
