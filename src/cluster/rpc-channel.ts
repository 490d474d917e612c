import { inspect } from 'node:util';
import { BackworksError, type ErrorCode, ERRORS, toBackworksError } from '../errors.js';

/** One end of the channel between two processes. Messages are copied by the structured clone algorithm. */
export interface Channel {
  /** @param sent called with the reason the message could not be sent, or null */
  send(message: unknown, sent: (error: Error | null) => void): void;
  /** There is one listener. */
  onMessage(listener: (message: unknown) => void): void;
}

type Message =
  | { readonly kind: 'call'; readonly id: number; readonly name: string; readonly args: readonly unknown[] }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly error: SentError };

type Procedure = (...args: readonly unknown[]) => unknown;

/** A BackworksError as it is sent to another process. */
export interface SentError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string | undefined;
}

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Remote procedure calls in both directions over one channel. Every call ends with an answer or an error. The
 * type parameters are the procedures of the other side and of this side.
 */
export class RpcChannel<Theirs extends object, Ours extends object> {
  private readonly waiting = new Map<number, Waiting>();
  private ended: BackworksError | null = null;
  private lastId = 0;

  /**
   * @param violated called once when the other side breaks the protocol: it sent something that is no message,
   *   or answered a call that was never made. All calls have failed by then. Later messages are ignored.
   */
  constructor(
    private readonly channel: Channel,
    private readonly ours: Ours,
    private readonly violated: (error: BackworksError) => void,
  ) {
    channel.onMessage((message) => this.receive(message));
  }

  /** @throws BackworksError the error of the other side, or the reason it cannot answer */
  readonly call = <Name extends keyof Theirs & string>(
    name: Name,
    ...args: Theirs[Name] extends (...args: infer Args) => unknown ? Args : never
  ): Promise<Theirs[Name] extends (...args: never[]) => infer Result ? Awaited<Result> : never> =>
    new Promise((resolve, reject) => {
      if (this.ended !== null) return reject(this.ended);
      const id = (this.lastId += 1);
      this.waiting.set(id, { resolve, reject });
      try {
        this.send({ kind: 'call', id, name, args });
      } catch (thrown) {
        // An argument cannot be cloned.
        this.waiting.delete(id);
        reject(toBackworksError(thrown));
      }
    });

  /** Closes the channel: all waiting and later calls fail with the error. */
  end(error: BackworksError): void {
    this.ended ??= error;
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }

  private receive(message: unknown): void {
    if (this.ended !== null) return;
    if (!isMessage(message)) return this.violate(`sent an unknown message: ${excerpt(message)}`);
    if (message.kind === 'call') return void this.answer(message);
    const waiting = this.waiting.get(message.id);
    if (waiting === undefined) return this.violate(`answered call ${message.id}, which is not open`);
    this.waiting.delete(message.id);
    if (message.kind === 'answer') waiting.resolve(message.value as never);
    else waiting.reject(receivedError(message.error));
  }

  private violate(what: string): void {
    const error = new BackworksError('BW_SERVER_WORKER', `the other process ${what}`);
    this.end(error);
    this.violated(error);
  }

  private async answer({ id, name, args }: Extract<Message, { kind: 'call' }>): Promise<void> {
    try {
      this.send({ kind: 'answer', id, value: await procedureNamed(this.ours, name)(...args) });
    } catch (thrown) {
      this.send({ kind: 'failure', id, error: sentError(toBackworksError(thrown)) });
    }
  }

  private send(message: Message): void {
    // A closed channel is reported by end().
    this.channel.send(message, () => undefined);
  }
}

/** @throws BackworksError BW_INTERNAL when there is no procedure of that name */
export function procedureNamed(procedures: object, name: string): Procedure {
  const procedure: unknown = Object.hasOwn(procedures, name) ? procedures[name as never] : undefined;
  if (typeof procedure === 'function') return procedure as Procedure;
  throw new BackworksError(
    'BW_INTERNAL',
    `unknown procedure ${JSON.stringify(name)} called between primary and worker`,
  );
}

function isMessage(value: unknown): value is Message {
  if (typeof value !== 'object' || value === null) return false;
  const { kind, id, name, args, error } = value as Readonly<Record<string, unknown>>;
  if (!Number.isSafeInteger(id)) return false;
  if (kind === 'call') return typeof name === 'string' && Array.isArray(args);
  return kind === 'answer' || (kind === 'failure' && isSentError(error));
}

function isSentError(value: unknown): value is SentError {
  if (typeof value !== 'object' || value === null) return false;
  const { code, message, hint } = value as Readonly<Record<string, unknown>>;
  const isHint = hint === undefined || typeof hint === 'string';
  return typeof code === 'string' && Object.hasOwn(ERRORS, code) && typeof message === 'string' && isHint;
}

/** A short picture of a value, for an error message. */
function excerpt(value: unknown): string {
  return inspect(value, { depth: 1, breakLength: Infinity, maxStringLength: 40, maxArrayLength: 3 }).slice(
    0,
    80,
  );
}

export function sentError({ code, message, hint }: BackworksError): SentError {
  return { code, message, hint };
}

export function receivedError({ code, message, hint }: SentError): BackworksError {
  return new BackworksError(code, message, { hint });
}
