import type { LoadedPlugin } from '../plugins/loaded-plugin.js';
import type { Caller } from '../plugins/plugin.js';
import { DEEP_VALUES, EMPTY_VALUES, ENCODED_VALUES, HOSTILE_VALUES, hugeValues } from './hostile-texts.js';
import type { Random } from './random.js';
import { randomJson } from './random-json.js';
import type { CheckInput } from './report.js';
import { simplerJson } from './simpler.js';
import type { InputKind, Target, TargetAnswer, TargetInput } from './target.js';

const VALUES: Readonly<Record<InputKind, () => readonly string[]>> = {
  empty: () => EMPTY_VALUES,
  huge: hugeValues,
  nested: () => DEEP_VALUES,
  encoding: () => ENCODED_VALUES,
  hostile: () => HOSTILE_VALUES,
};

/** An operation of the manifest's `capabilities`, as another plugin calls it. */
export function operationTarget(operation: string, words: readonly string[]): Target {
  const input = (payload: string): TargetInput => new OperationInput(operation, payload);
  return {
    name: `operation ${operation}`,
    ordinary: ['{}', 'null', '{"key":"a","value":1}'].map(input),
    inputs: (kind) => VALUES[kind]().map(input),
    random: (random: Random) => input(randomJson(random, words)),
  };
}

class OperationInput implements TargetInput {
  constructor(
    private readonly operation: string,
    private readonly payload: string,
  ) {}

  async ask(plugin: LoadedPlugin, caller: Caller): Promise<TargetAnswer> {
    const reply = await plugin.perform(this.operation, this.payload, caller);
    return { text: reply === null ? null : reply.toString(), denied: null };
  }

  describe(alone: boolean): CheckInput {
    const { operation, payload } = this;
    const call = ['operation', operation, '--data', '@input.body'];
    return { function: `operation ${operation}`, document: payload, call, body: Buffer.from(payload), alone };
  }

  numbered(number: number): OperationInput {
    const payload = this.payload === '{}' ? `{"number":${number}}` : this.payload;
    return new OperationInput(this.operation, payload);
  }

  *simpler(): Iterable<TargetInput> {
    for (const payload of simplerJson(this.payload)) yield new OperationInput(this.operation, payload);
  }
}
