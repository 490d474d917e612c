import type { AnswerHandler } from './answer-handler.js';

/** Answered calls are dropped from the front of the queue in lots of this size. */
const FORGET_LOT = 64;

/** Calls that a runner was sent and has not answered, oldest first. */
export interface UnansweredCalls {
  readonly size: number;
  readonly oldest: AnswerHandler | undefined;
  /** When the oldest call became the oldest, or was written to the runner; performance.now(). */
  readonly oldestSinceMs: number;
  /** The runner goes on to another hook of the oldest call, or has just been sent that call. */
  oldestBegins(): void;
  add(call: AnswerHandler): void;
  /** The call with this number that may be answered now; a sentence when there is none. */
  answerable(id: number): AnswerHandler | string;
  /** Forgets a call that answerable() gave. */
  forget(call: AnswerHandler): void;
  find(id: number): AnswerHandler | undefined;
  /** All of them; none are left. */
  takeAll(): AnswerHandler[];
}

/** Of a runner that works on one call at a time: the oldest is answered first. */
export class CallsInOrder implements UnansweredCalls {
  oldestSinceMs = 0;
  private queue: AnswerHandler[] = [];
  private front = 0;

  get size(): number {
    return this.queue.length - this.front;
  }

  get oldest(): AnswerHandler | undefined {
    return this.queue[this.front];
  }

  oldestBegins(): void {
    this.oldestSinceMs = performance.now();
  }

  add(call: AnswerHandler): void {
    if (this.size === 0) this.oldestBegins();
    this.queue.push(call);
  }

  answerable(id: number): AnswerHandler | string {
    const call = this.queue[this.front];
    if (call === undefined) return `answer ${id} to no call`;
    return call.id === id ? call : `answer ${id} where ${call.id} was due`;
  }

  forget(): void {
    this.oldestBegins();
    this.front += 1;
    if (this.front === this.queue.length) {
      this.queue = [];
      this.front = 0;
    } else if (this.front >= FORGET_LOT) {
      this.queue = this.queue.slice(this.front);
      this.front = 0;
    }
  }

  find(id: number): AnswerHandler | undefined {
    const first = this.queue[this.front];
    if (first === undefined) return undefined;
    // Numbers are given out one after the other, and wrap around past 0.
    const index = this.front + ((id - first.id) >>> 0);
    return [this.queue[index], this.queue[index - 1]].find((call) => call?.id === id);
  }

  takeAll(): AnswerHandler[] {
    const calls = this.queue.slice(this.front);
    this.queue = [];
    this.front = 0;
    return calls;
  }
}

/** Of a runner with threads: whichever is done is answered. */
export class CallsInAnyOrder implements UnansweredCalls {
  oldestSinceMs = 0;
  /** A Map keeps the order in which they came. */
  private readonly calls = new Map<number, AnswerHandler>();

  get size(): number {
    return this.calls.size;
  }

  get oldest(): AnswerHandler | undefined {
    for (const call of this.calls.values()) return call;
    return undefined;
  }

  oldestBegins(): void {
    this.oldestSinceMs = performance.now();
  }

  add(call: AnswerHandler): void {
    if (this.size === 0) this.oldestBegins();
    this.calls.set(call.id, call);
  }

  answerable(id: number): AnswerHandler | string {
    return this.calls.get(id) ?? `answer ${id} to no call`;
  }

  forget({ id }: AnswerHandler): void {
    if (this.oldest?.id === id) this.oldestBegins();
    this.calls.delete(id);
  }

  find(id: number): AnswerHandler | undefined {
    return this.calls.get(id);
  }

  takeAll(): AnswerHandler[] {
    const calls = [...this.calls.values()];
    this.calls.clear();
    return calls;
  }
}
