import { BackworksError, type ErrorCode, toBackworksError } from '../errors.js';

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

  constructor(
    private readonly channel: Channel,
    private readonly ours: Ours,
  ) {
    channel.onMessage((message) => this.receive(message as Message));
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
      this.send({ kind: 'call', id, name, args });
    });

  /** Nobody is there any more: whoever waits is told so. */
  end(error: BackworksError): void {
    this.ended ??= error;
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }

  private receive(message: Message): void {
    if (message.kind === 'call') return void this.answer(message);
    const waiting = this.waiting.get(message.id);
    this.waiting.delete(message.id);
    if (message.kind === 'answer') waiting?.resolve(message.value as never);
    else waiting?.reject(receivedError(message.error));
  }

  private async answer({ id, name, args }: Extract<Message, { kind: 'call' }>): Promise<void> {
    try {
      const procedure = (this.ours as Readonly<Record<string, (...args: readonly unknown[]) => unknown>>)[
        name
      ];
      this.send({ kind: 'answer', id, value: await procedure?.(...args) });
    } catch (thrown) {
      this.send({ kind: 'failure', id, error: sentError(toBackworksError(thrown)) });
    }
  }

  private send(message: Message): void {
    // Of a channel that closed, its end tells.
    this.channel.send(message, () => undefined);
  }
}

export function sentError({ code, message, hint }: BackworksError): SentError {
  return { code, message, hint };
}

export function receivedError({ code, message, hint }: SentError): BackworksError {
  return new BackworksError(code, message, { hint });
}
