import { afterEach, describe, expect, test } from '@jest/globals';

import { AggregatorRegistry } from 'prom-client';
import { setTimeout as sleep } from 'node:timers/promises';
import { defaultPluginPolicy } from '../../dist/config/load/load.js';
import { Deferred } from '../../dist/deferred.js';
import { BackworksError, PluginFailure } from '../../dist/errors.js';
import { DeadlinePolicy, DeadlineTimer } from '../../dist/execution/deadline.js';
import type { Guard, GuardedCall } from '../../dist/execution/guarded-call.js';
import { PluginExecutor, type PluginExecutorOptions } from '../../dist/execution/executor.js';
import { PluginMetrics } from '../../dist/metrics/plugin-metrics.js';

type Settings = PluginExecutorOptions['settings'];

const SETTINGS: Settings = {
  timeouts: { callMs: 50 },
  healthCheck: { timeoutMs: 200 },
  circuitBreaker: { failures: 3, windowMs: 10_000, resetAfterMs: 100 },
  retry: { attempts: 1, on: [] },
  limits: { ...defaultPluginPolicy().limits, concurrency: 1, queue: 1 },
  instances: 1,
};

const metrics = new PluginMetrics();
const circuits: string[] = [];

function executor(overrides: Partial<Settings> = {}): PluginExecutor {
  return new PluginExecutor({
    plugin: 'weather',
    settings: { ...SETTINGS, ...overrides },
    timer: new DeadlineTimer(),
    metrics,
    onCircuitChange: (state) => circuits.push(state),
  });
}

const crash = (): Promise<never> =>
  Promise.reject(new PluginFailure('BW_PLUGIN_CRASHED', 'crashed', { plugin: 'weather', phase: 'call' }));

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(BackworksError);
  return (error as BackworksError).code;
}

afterEach(() => {
  circuits.length = 0;
});

describe('PluginExecutor', () => {
  test('passes an answer through and counts it', async () => {
    const guarded = executor();
    await expect(guarded.execute('before_request', () => Promise.resolve('answer'))).resolves.toBe('answer');
    expect(guarded.counts).toEqual({ before_request: { calls: 1, failed: 0 } });
  });

  test('stops a call at its deadline and fails it with BW_PLUGIN_TIMEOUT', async () => {
    const stops: string[] = [];
    const hang = (call: GuardedCall): Promise<never> => {
      call.onStop((reason) => stops.push(reason));
      return new Promise(() => {});
    };
    await expect(codeOf(executor().execute('process_endpoint', hang))).resolves.toBe('BW_PLUGIN_TIMEOUT');
    expect(stops).toEqual(['deadline']);
  });

  test('gives a health check its own deadline', async () => {
    const never = (): Promise<never> => new Promise(() => {});
    const guarded = executor({ timeouts: { callMs: 3_600_000 }, healthCheck: { timeoutMs: 20 } });
    const failure = await guarded.execute('health_check', never).catch((error: unknown) => error);
    expect(String(failure)).toMatch(/did not answer health_check within 20 ms — raise health\.timeout/);
    const patient = executor({ timeouts: { callMs: 20 }, healthCheck: { timeoutMs: 3_600_000 } });
    await expect(
      patient.execute('health_check', async () => {
        await sleep(60);
        return 'well';
      }),
    ).resolves.toBe('well');
  });

  test('does not stop a call that answers in time', async () => {
    let stopped = false;
    const guarded = executor();
    await guarded.execute('before_request', (call) => {
      call.onStop(() => {
        stopped = true;
      });
      return Promise.resolve(1);
    });
    await sleep(80);
    expect(stopped).toBe(false);
  });

  test('opens the circuit after the failures within the window, and closes it after one good call past reset_after', async () => {
    const guarded = executor();
    for (let i = 0; i < 3; i += 1) await codeOf(guarded.execute('before_request', crash));
    expect(guarded.circuit).toBe('open');
    let called = false;
    const refused = guarded.execute('before_request', () => {
      called = true;
      return Promise.resolve(1);
    });
    await expect(codeOf(refused)).resolves.toBe('BW_PLUGIN_CIRCUIT_OPEN');
    expect(called).toBe(false);
    await sleep(120);
    await guarded.execute('before_request', () => Promise.resolve(1));
    expect(guarded.circuit).toBe('closed');
    expect(circuits).toEqual(['open', 'half-open', 'closed']);
  });

  test('fails other calls at once while a trial call tests a half-open circuit', async () => {
    const guarded = executor();
    for (let i = 0; i < 3; i += 1) await codeOf(guarded.execute('before_request', crash));
    await sleep(120);
    let finish = (): void => {};
    const trial = guarded.execute('before_request', () => new Promise<void>((resolve) => (finish = resolve)));
    const other = guarded.execute('before_request', () => Promise.resolve());
    await expect(codeOf(other)).resolves.toBe('BW_PLUGIN_CIRCUIT_OPEN');
    finish();
    await trial;
    expect(guarded.circuit).toBe('closed');
  });

  test('passes an error that is not the plugin’s through without opening the circuit', async () => {
    const guarded = executor();
    const tooLarge = (): Promise<never> =>
      Promise.reject(new BackworksError('BW_REQUEST_BODY_TOO_LARGE', 'too large'));
    for (let i = 0; i < 5; i += 1) {
      await expect(codeOf(guarded.execute('before_request', tooLarge))).resolves.toBe(
        'BW_REQUEST_BODY_TOO_LARGE',
      );
    }
    expect(guarded.circuit).toBe('closed');
  });

  test('refuses calls beyond concurrency and queue with BW_PLUGIN_OVERLOADED', async () => {
    const guarded = executor();
    const finish: (() => void)[] = [];
    const work = (): Promise<void> => new Promise((resolve) => finish.push(resolve));
    const running = [guarded.execute('before_request', work), guarded.execute('before_request', work)];
    await expect(codeOf(guarded.execute('before_request', work))).resolves.toBe('BW_PLUGIN_OVERLOADED');
    finish.forEach((end) => end());
    await Promise.all(running);
    expect(guarded.circuit).toBe('closed');
  });

  test('retries only the configured hooks, as often as configured', async () => {
    const guarded = executor({ retry: { attempts: 3, on: ['crash'] } });
    let tries = 0;
    await expect(codeOf(guarded.execute('before_request', () => ((tries += 1), crash())))).resolves.toBe(
      'BW_PLUGIN_CRASHED',
    );
    expect(tries).toBe(3);
    tries = 0;
    const bad = (): Promise<never> => {
      tries += 1;
      return Promise.reject(
        new PluginFailure('BW_PLUGIN_BAD_RESPONSE', 'bad', { plugin: 'weather', phase: 'call' }),
      );
    };
    const second = executor({ retry: { attempts: 3, on: ['crash'] } });
    await codeOf(second.execute('before_request', bad));
    expect(tries).toBe(1);
  });

  test('adjusted: calls in flight keep their deadline, new calls get the new one, and counts continue', async () => {
    const before = executor({ timeouts: { callMs: 60_000 } });
    let answer: (value: string) => void = () => undefined;
    const slow = before.execute('call', () => new Promise<string>((resolve) => (answer = resolve)));
    const after = before.adjusted({ ...SETTINGS, timeouts: { callMs: 20 } });
    expect(await codeOf(after.execute('call', () => new Promise(() => undefined)))).toBe('BW_PLUGIN_TIMEOUT');
    answer('late, and in time');
    expect(await slow).toBe('late, and in time');
    expect(after.counts).toEqual({ call: { calls: 2, failed: 1 } });
  });

  test('adjusted: an open circuit stays open, and its state is reported once', async () => {
    const before = executor();
    for (let i = 0; i < 3; i++) await codeOf(before.execute('call', crash));
    const same = before.adjusted({ ...SETTINGS, retry: { attempts: 2, on: [] } });
    expect(same.circuit).toBe('open');
    const circuitBreaker = { ...SETTINGS.circuitBreaker, resetAfterMs: 1 };
    const other = same.adjusted({ ...SETTINGS, circuitBreaker });
    expect(other.circuit).toBe('open');
    await sleep(20);
    circuits.length = 0;
    expect(await other.execute('call', () => Promise.resolve('well again'))).toBe('well again');
    expect(circuits).toEqual(['half-open', 'closed']);
    expect(before.circuit).toBe('open');
  });

  test('adjusted: calls in flight still count against a queue of unchanged size', async () => {
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const before = executor({ timeouts: { callMs: 60_000 } });
    const under = [before.execute('call', () => ended), before.execute('call', () => ended)];
    await sleep(0);
    const same = before.adjusted({ ...SETTINGS, timeouts: { callMs: 1000 } });
    expect(await codeOf(same.execute('call', () => Promise.resolve()))).toBe('BW_PLUGIN_OVERLOADED');
    const wider = before.adjusted({ ...SETTINGS, limits: { ...SETTINGS.limits, queue: 2 } });
    expect(await wider.execute('call', () => Promise.resolve('room'))).toBe('room');
    end();
    await Promise.all(under);
  });

  test('exports calls, failures by code and the circuit state as Prometheus text', async () => {
    const own = new PluginMetrics();
    const guarded = new PluginExecutor({
      plugin: 'p',
      settings: SETTINGS,
      timer: new DeadlineTimer(),
      metrics: own,
      onCircuitChange: () => {},
    });
    await guarded.execute('before_request', () => Promise.resolve(1));
    for (let i = 0; i < 3; i += 1) await codeOf(guarded.execute('before_request', crash));
    const text = await own.text();
    expect(text).toContain(
      'backworks_plugin_call_duration_seconds_count{plugin="p",hook="before_request"} 4',
    );
    expect(text).toContain(
      'backworks_plugin_failures_total{plugin="p",hook="before_request",code="BW_PLUGIN_CRASHED"} 3',
    );
    expect(text).toContain('backworks_plugin_circuit_state{plugin="p"} 2');
  });

  test('exports durations as a histogram that can be summed over processes', async () => {
    const texts = await Promise.all(
      [[0, 0.05, 0.3], [3000]].map(async (milliseconds) => {
        const own = new PluginMetrics();
        const hook = own.hook('p', 'before_request');
        for (const each of milliseconds) hook.succeeded(each);
        return own.registry.getMetricsAsJSON();
      }),
    );
    const lines = (await AggregatorRegistry.aggregate(texts).metrics())
      .split('\n')
      .filter((line) => line.startsWith('backworks_plugin_call_duration_seconds'))
      .map((line) => line.replace('backworks_plugin_call_duration_seconds', ''));
    expect(lines.slice(0, 3)).toEqual([
      '_bucket{le="0.00005",plugin="p",hook="before_request"} 2',
      '_bucket{le="0.0001",plugin="p",hook="before_request"} 2',
      '_bucket{le="0.00025",plugin="p",hook="before_request"} 2',
    ]);
    expect(lines.slice(-5)).toEqual([
      '_bucket{le="1",plugin="p",hook="before_request"} 3',
      '_bucket{le="2.5",plugin="p",hook="before_request"} 3',
      '_bucket{le="+Inf",plugin="p",hook="before_request"} 4',
      '_sum{plugin="p",hook="before_request"} 3.00035',
      '_count{plugin="p",hook="before_request"} 4',
    ]);
  });

  test('counts the time that plugins report, in seconds that can be summed over processes', async () => {
    const texts = await Promise.all(
      [
        [1_500_000_000, 250_000_000],
        [0, 250_000_000],
      ].map(async (nanoseconds) => {
        const own = new PluginMetrics();
        const options = { settings: SETTINGS, timer: new DeadlineTimer(), onCircuitChange: () => {} };
        for (const ownNs of nanoseconds) {
          // Loaded again for each call, to show that the count continues.
          const guarded = new PluginExecutor({ plugin: 'p', metrics: own, ...options });
          await guarded.execute('before_request', (call) => Promise.resolve(call.report(ownNs, false)));
          await codeOf(guarded.execute('after_response', crash));
        }
        return own.registry.getMetricsAsJSON();
      }),
    );
    const text = await AggregatorRegistry.aggregate(texts).metrics();
    expect(text.match(/^backworks_plugin_own_seconds_total.*/gm)).toEqual([
      'backworks_plugin_own_seconds_total{plugin="p",hook="before_request"} 2',
    ]);
  });

  test('continues a metric when its plugin is loaded again', async () => {
    const own = new PluginMetrics();
    for (let i = 0; i < 2; i += 1) own.hook('p', 'call').succeeded(1);
    expect(await own.text()).toContain(
      'backworks_plugin_call_duration_seconds_count{plugin="p",hook="call"} 2',
    );
  });

  test('limits custom counters as the ABI states', async () => {
    const own = new PluginMetrics();
    own.customCounter('p', 'orders', 2);
    own.customCounter('p', 'orders', -1);
    own.customCounter('p', 'orders', Number.NaN);
    own.customCounter('p', 'orders', Number.MAX_VALUE);
    own.customCounter('p', 'orders', Infinity);
    own.customCounter('p', 'Bad Name', 1);
    for (let i = 0; i < 200; i += 1) own.customCounter('p', `n${i}`, 1);
    const lines = (await own.text())
      .split('\n')
      .filter((line) => line.startsWith('backworks_plugin_custom_total{'));
    expect(lines).toHaveLength(100);
    expect(lines[0]).toBe('backworks_plugin_custom_total{plugin="p",name="orders"} 2');
  });
});

describe('answers that are available at once', () => {
  /** Throws synchronously instead of rejecting. */
  const crashAtOnce = (): never => {
    throw new PluginFailure('BW_PLUGIN_CRASHED', 'crashed', { plugin: 'weather', phase: 'call' });
  };
  const run = <T>(guarded: PluginExecutor, operation: () => T | Promise<T>): T | Promise<T> =>
    guarded.execute<T>('before_request', operation);
  const codeAtOnce = (guarded: PluginExecutor, operation: () => unknown): Promise<string> =>
    codeOf(Promise.resolve(run(guarded, operation)));

  test('are returned without a promise, and counted', () => {
    const guarded = executor();
    expect(run(guarded, () => 'answer')).toBe('answer');
    expect(guarded.counts).toEqual({ before_request: { calls: 1, failed: 0 } });
  });

  test('open the circuit by their failures; only the trial call runs then, and closes it', async () => {
    const guarded = executor();
    for (let i = 0; i < 3; i += 1) {
      expect(run(guarded, () => 'changes nothing')).toBe('changes nothing');
      await expect(codeAtOnce(guarded, crashAtOnce)).resolves.toBe('BW_PLUGIN_CRASHED');
    }
    expect(guarded.counts).toEqual({ before_request: { calls: 6, failed: 3 } });
    let calls = 0;
    const count = (): number => (calls += 1);
    await expect(codeAtOnce(guarded, count)).resolves.toBe('BW_PLUGIN_CIRCUIT_OPEN');
    expect(calls).toBe(0);
    await sleep(120);
    const trial = run(guarded, count);
    await expect(codeAtOnce(guarded, count)).resolves.toBe('BW_PLUGIN_CIRCUIT_OPEN');
    await expect(trial).resolves.toBe(1);
    expect(circuits).toEqual(['open', 'half-open', 'closed']);
    expect(run(guarded, count)).toBe(2);
  });

  test('are refused while waiting calls fill the bulkhead', async () => {
    const guarded = executor();
    const finish: (() => void)[] = [];
    const work = (): Promise<void> => new Promise((resolve) => finish.push(resolve));
    const running = [guarded.execute('call', work), guarded.execute('call', work)];
    let calls = 0;
    await expect(codeAtOnce(guarded, () => (calls += 1))).resolves.toBe('BW_PLUGIN_OVERLOADED');
    expect(calls).toBe(0);
    finish.forEach((end) => end());
    await Promise.all(running);
    expect(run(guarded, () => 'room again')).toBe('room again');
  });

  test('are retried after a failure, like any other call', async () => {
    const guarded = executor({ retry: { attempts: 3, on: ['crash'] } });
    let tries = 0;
    const third = (): string => ((tries += 1), tries < 3 ? crashAtOnce() : 'third');
    await expect(run(guarded, third)).resolves.toBe('third');
    expect(guarded.counts).toEqual({ before_request: { calls: 1, failed: 0 } });
  });
});

describe('cancelled calls', () => {
  const cancelled = new BackworksError('BW_REQUEST_CANCELLED', 'the client has gone');

  /** Begins a call that ends as cancelled when it is stopped. */
  function start(guarded: PluginExecutor): { call: GuardedCall; stops: string[]; outcome: Promise<string> } {
    const stops: string[] = [];
    let call: GuardedCall | undefined;
    const answer = guarded.execute('before_request', (begun: GuardedCall): Deferred<string> => {
      call = begun;
      const work = new Deferred<string>();
      begun.onStop((reason) => {
        stops.push(reason);
        work.reject(cancelled);
      });
      setTimeout(() => work.resolve('answer'), 30);
      return work;
    });
    return { call: call!, stops, outcome: answer.catch((error: BackworksError) => error.code) };
  }

  test('are not counted when they had not begun', async () => {
    const guarded = executor({ circuitBreaker: { failures: 1, windowMs: 10_000, resetAfterMs: 100 } });
    const { call, stops, outcome } = start(guarded);
    call.cancel();
    expect(await outcome).toBe('BW_REQUEST_CANCELLED');
    expect(stops).toEqual(['cancelled']);
    expect(guarded.counts).toEqual({ before_request: { calls: 0, failed: 0 } });
    expect(guarded.circuit).toBe('closed');
  });

  test('run anyway when they are the trial that decides whether the circuit closes', async () => {
    const guarded = executor();
    for (let i = 0; i < 3; i += 1) await codeOf(guarded.execute('before_request', crash));
    await sleep(120);
    const { call, stops, outcome } = start(guarded);
    call.cancel();
    expect(await outcome).toBe('answer');
    expect(stops).toEqual([]);
    expect(guarded.circuit).toBe('closed');
  });
});

describe('DeadlinePolicy', () => {
  test('keeps a deadline for each call under one timer, and does not fail an answered call', async () => {
    const timer = new DeadlineTimer();
    const short = new DeadlinePolicy(20, timer);
    const long = new DeadlinePolicy(60, timer);
    const ends: string[] = [];
    const guard: Guard = {
      cancellable: true,
      answered: (call) => call.resolve(null),
      failed: (call, error) => call.reject(error),
    };
    const begin = (policy: DeadlinePolicy, name: string): { call: GuardedCall; end: Promise<unknown> } => {
      const call = policy.begin(guard, { requestId: null, callers: [], trace: null });
      policy.hold(call);
      const failed = (error: unknown): number => ends.push(`${name} ${(error as Error).constructor.name}`);
      return { call, end: call.toPromise().then(() => ends.push(`${name} answered`), failed) };
    };
    const calls = [begin(long, 'long'), ...Array.from({ length: 100 }, () => begin(short, 'short'))];
    const quick = begin(short, 'quick');
    quick.call.answered(null);
    await Promise.all([...calls, quick].map(({ end }) => end));
    expect(ends[0]).toBe('quick answered');
    expect(ends.slice(1, -1)).toEqual(Array.from({ length: 100 }, () => 'short TaskCancelledError'));
    expect(ends.at(-1)).toBe('long TaskCancelledError');
  });
});
