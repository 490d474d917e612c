import { inspect } from 'node:util';
import { BackworksError, type ErrorCode, ERRORS, toBackworksError } from '../errors.js';

/** One end of the channel between two processes. What is sent is cloned by the structured clone algorithm. */
export interface Channel {
  /** @param sent is told why it could not be sent, or null */
  send(message: unknown, sent: (error: Error | null) => void): void;
  /** There is one listener. */
  onMessage(listener: (message: unknown) => void): void;
}

type Message =
  | { readonly kind: 'call'; readonly id: number; readonly name: string; readonly args: readonly unknown[] }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly error: SentError };

type Procedure = (...args: readonly unknown[]) => unknown;

/** An error on its way to another process. */
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
 * Calls in both directions over one channel; each gets its answer or its error. Both sides are described
 * by the procedures they offer.
 */
export class RpcChannel<Theirs extends object, Ours extends object> {
  private readonly waiting = new Map<number, Waiting>();
  private ended: BackworksError | null = null;
  private lastId = 0;

  /**
   * @param violated is told once when the other side breaks the protocol: it sent no message, or answered a
   *   call that nobody made. Every call has failed by then, and what is sent later is ignored.
   */
  constructor(
    private readonly channel: Channel,
    private readonly ours: Ours,
    private readonly violated: (error: BackworksError) => void,
  ) {
    channel.onMessage((message) => this.receive(message));
  }

  /** @throws BackworksError what the other side threw, or why it does not answer */
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
        // An argument that cannot be cloned.
        this.waiting.delete(id);
        reject(toBackworksError(thrown));
      }
    });

  /** Nobody is there any more: whoever waits is told so. */
  end(error: BackworksError): void {
    this.ended ??= error;
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }

  private receive(message: unknown): void {
    if (this.ended !== null) return;
    if (!isMessage(message)) return this.violate(`sent a message of no known kind: ${excerpt(message)}`);
    if (message.kind === 'call') return void this.answer(message);
    const waiting = this.waiting.get(message.id);
    if (waiting === undefined) return this.violate(`answered call ${message.id}, which is not waiting`);
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
  throw new BackworksError('BW_INTERNAL', `no procedure between processes is named ${JSON.stringify(name)}`);
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

/** What a value looks like, for an error. */
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
