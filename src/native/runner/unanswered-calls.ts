import type { AnswerHandler } from './answer-handler.js';

/** Answered calls are dropped from the front of the queue in batches of this size. */
const FORGET_BATCH = 64;

/** Calls that were sent to a runner and have no answer yet, oldest first. */
export interface UnansweredCalls {
  readonly size: number;
  readonly oldest: AnswerHandler | undefined;
  /** When the oldest call became the oldest, or was written to the runner; performance.now(). */
  readonly oldestSinceMs: number;
  /** Restarts `oldestSinceMs`: the runner was just sent the oldest call, or begins another hook of it. */
  restartOldest(): void;
  add(call: AnswerHandler): void;
  /** The call with this id, if it may be answered now; otherwise the reason, for an error message. */
  answerable(id: number): AnswerHandler | string;
  /** Removes a call that answerable() returned. */
  forget(call: AnswerHandler): void;
  find(id: number): AnswerHandler | undefined;
  /** Removes and returns all calls. */
  takeAll(): AnswerHandler[];
}

/** For a runner that runs one call at a time: the oldest call is answered first. */
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

  restartOldest(): void {
    this.oldestSinceMs = performance.now();
  }

  add(call: AnswerHandler): void {
    if (this.size === 0) this.restartOldest();
    this.queue.push(call);
  }

  answerable(id: number): AnswerHandler | string {
    const call = this.queue[this.front];
    if (call === undefined) return `answer ${id}, but no call is in flight`;
    return call.id === id ? call : `answer ${id}, expected ${call.id}`;
  }

  forget(): void {
    this.restartOldest();
    this.front += 1;
    if (this.front === this.queue.length) {
      this.queue = [];
      this.front = 0;
    } else if (this.front >= FORGET_BATCH) {
      this.queue = this.queue.slice(this.front);
      this.front = 0;
    }
  }

  find(id: number): AnswerHandler | undefined {
    const first = this.queue[this.front];
    if (first === undefined) return undefined;
    // Ids are assigned in sequence and wrap around without 0.
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

/** For a runner with call threads: calls are answered in any order. */
export class CallsInAnyOrder implements UnansweredCalls {
  oldestSinceMs = 0;
  /** A Map keeps the order of insertion. */
  private readonly calls = new Map<number, AnswerHandler>();

  get size(): number {
    return this.calls.size;
  }

  get oldest(): AnswerHandler | undefined {
    for (const call of this.calls.values()) return call;
    return undefined;
  }

  restartOldest(): void {
    this.oldestSinceMs = performance.now();
  }

  add(call: AnswerHandler): void {
    if (this.size === 0) this.restartOldest();
    this.calls.set(call.id, call);
  }

  answerable(id: number): AnswerHandler | string {
    return this.calls.get(id) ?? `answer ${id} to a call that is not in flight`;
  }

  forget({ id }: AnswerHandler): void {
    if (this.oldest?.id === id) this.restartOldest();
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
