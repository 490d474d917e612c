import { Deferred } from '../deferred.js';
import { follow } from '../pipeline/attempt.js';
import type { Gate, PassedRequest } from '../pipeline/documents/incoming-request.js';
import type { Awaitable, PluginResponse } from '../plugins/plugin.js';
import type { Rule, RuledRequest } from './rule.js';

type Admit = NonNullable<Rule['admit']>;
type Pass = NonNullable<Rule['pass']>;
type Finish = NonNullable<Rule['finish']>;

/** The rules around the answers of one endpoint, in the order in which they apply. */
export class EndpointRules {
  /** Decides behind the before_request hooks; null when no rule does. */
  readonly gate: Gate | null;
  private readonly admitting: readonly Admit[];
  private readonly passing: readonly Pass[];
  private readonly finishing: readonly Finish[];

  /** @param rules in the order in which requests meet them; responses pass them in reverse order */
  constructor(rules: readonly Rule[]) {
    this.admitting = rules.flatMap((rule) => rule.admit?.bind(rule) ?? []);
    this.passing = rules.flatMap((rule) => rule.pass?.bind(rule) ?? []);
    this.finishing = [...rules].reverse().flatMap((rule) => rule.finish?.bind(rule) ?? []);
    this.gate =
      this.passing.length === 0 ? null : { pass: (request, document) => this.pass(request, document) };
  }

  /** @returns the response that ends the request before its hooks; null to continue */
  admit(request: RuledRequest, index = 0): Awaitable<PluginResponse | null> {
    for (let i = index; i < this.admitting.length; i++) {
      const response = this.admitting[i]!(request);
      if (response === null) continue;
      return follow(response, (given) => given ?? this.admit(request, i + 1));
    }
    return null;
  }

  /** @returns the response to send */
  finish(request: RuledRequest, response: PluginResponse, index = 0): Awaitable<PluginResponse> {
    let current = response;
    for (let i = index; i < this.finishing.length; i++) {
      const next = this.finishing[i]!(request, current);
      if (next instanceof Promise || next instanceof Deferred)
        return follow(next, (later) => this.finish(request, later, i + 1));
      current = next;
    }
    return current;
  }

  private pass(
    request: RuledRequest,
    document: PassedRequest | null,
    index = 0,
  ): Awaitable<PluginResponse | null> {
    for (let i = index; i < this.passing.length; i++) {
      const response = this.passing[i]!(request, document);
      if (response === null) continue;
      return follow(response, (given) => given ?? this.pass(request, document, i + 1));
    }
    return null;
  }
}
