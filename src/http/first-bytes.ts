import type { Socket } from 'node:net';

/** What the first bytes of a connection lead to: more of them are needed, or somebody takes the connection over. */
export type Decision = 'more' | { readonly taken: number; readonly accept: (socket: Socket) => void };

/**
 * Reads the first bytes of a connection until they decide who takes it over. Bytes that are not taken are there for
 * the next reader.
 * @param timeoutMs the connection is closed when no decision is made within this time
 * @param decide gets everything that has been read; bounds how much it wants
 */
export function readFirstBytes(socket: Socket, timeoutMs: number, decide: (bytes: Buffer) => Decision): void {
  let bytes: Buffer | null = null;
  const timer = setTimeout(() => socket.destroy(), timeoutMs);
  const destroy = (): void => void socket.destroy();
  const stop = (): void => {
    clearTimeout(timer);
    socket.off('readable', read).off('end', destroy).off('error', destroy).off('close', stop);
  };
  const read = (): void => {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return;
    bytes = bytes === null ? chunk : Buffer.concat([bytes, chunk]);
    const decision = decide(bytes);
    if (decision === 'more') return;
    stop();
    const { taken, accept } = decision;
    if (taken < bytes.length) socket.unshift(bytes.subarray(taken));
    accept(socket);
  };
  socket.on('readable', read).on('end', destroy).on('error', destroy).on('close', stop);
}
