import { expect } from '@jest/globals';
import { eventually, type LogLine } from '../../fixtures/server.js';
import type { Row, Scene } from '../row.js';

const LOG_RATE = 64 * 1024;
const PRINTED = 20 * 1000 * 1000;

function printed({ server }: Scene): LogLine[] {
  return server.log.filter(({ fields }) => fields['source'] === 'stdout');
}

/** Plugins that print. */
export const OUTPUT: readonly Row[] = [
  {
    id: 'H31',
    does: 'prints control sequences and bytes that are not text',
    fixture: 'h31_stdout_garbage',
    by: 'the server, which only logs standard output, without control characters',
    expected: {
      kind: 'course',
      run: async (scene) => {
        expect(await scene.server.get('/bad')).toMatchObject({ status: 200, body: { printed: 'ok' } });
        await eventually(() => printed(scene).length > 0, 'the line in the log');
        const [line] = printed(scene);
        expect(line).toMatchObject({ level: 'info', fields: { plugin: 'hostile', pid: scene.pid } });
        expect(line?.message).toContain('secret');
        // eslint-disable-next-line no-control-regex -- control characters are what must not be there
        expect(line?.message).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
        return { outcome: 'answered', reported: 'the text, in the log' };
      },
    },
  },
  {
    id: 'H31',
    does: 'prints 20 MB',
    fixture: 'h31_stdout_flood',
    by: 'limits.log_rate; the rest is read with pauses and dropped',
    expected: {
      kind: 'course',
      run: async (scene) => {
        const { server, pid } = scene;
        const startedAt = performance.now();
        expect(await server.get('/bad')).toMatchObject({ status: 200, body: { printed: 'ok' } });
        const dropped = (): number =>
          server.log
            .map(({ message }) => /^(\d+) bytes of output dropped/.exec(message)?.[1])
            .reduce((sum, bytes) => sum + Number(bytes ?? 0), 0);
        const kept = (): number => printed(scene).reduce((sum, { message }) => sum + message.length + 1, 0);
        await eventually(() => dropped() + kept() >= PRINTED * 0.999, 'the report of all dropped bytes');
        // The rate of each second, and of the second that has begun.
        const seconds = Math.ceil((performance.now() - startedAt) / 1000) + 1;
        expect(kept()).toBeLessThanOrEqual(LOG_RATE * seconds);
        expect(server.plugin('hostile').processes).toContainEqual(expect.objectContaining({ pid }));
        return { outcome: 'answered', reported: 'the number of dropped bytes' };
      },
    },
  },
];
