import { Deferred } from '../deferred.js';
import type { Text } from '../long-text.js';
import type { Awaitable, BackworksPlugin, JsonObject, Patched, PluginResponse } from './plugin.js';

/** The response after_response is told of. */
export interface ToldResponse extends Patched {
  toJson(): Text;
}

/**
 * The hooks of one plugin that follow one another on a request's way. A plugin in a process of its own is
 * asked all of them at once, and answers one after the other as long as the request takes its usual way:
 * left unchanged before the endpoint, and answered with plain JSON there. What was not asked ahead is
 * asked when its turn comes.
 */
export class Visit {
  /** The answer of the endpoint, as soon as it was asked. */
  endpointAnswer: Awaitable<PluginResponse | null> | undefined;
  /** The answer of after_response, as soon as it was asked. */
  patch: Awaitable<JsonObject | null> | undefined;
  /** Where the patch is applied; there before it comes. */
  response: ToldResponse | null = null;
  private state: 'planned' | 'under way' | 'ended' = 'planned';
  private onEnd: Deferred<void> | null = null;

  /**
   * @param endpoint as process_endpoint is told, like `method`
   * @param responseHead the document of a plain answer up to its body; null when after_response of
   *   another plugin is first, or there is none
   */
  constructor(
    readonly plugin: BackworksPlugin,
    readonly endpoint: string,
    readonly method: string,
    readonly responseHead: string | null,
  ) {}

  /** The plugin is being asked. False when it was before: a visit is made once. */
  begin(): boolean {
    if (this.state !== 'planned') return false;
    this.state = 'under way';
    return true;
  }

  /** What was not asked by now will not be. */
  end(): void {
    if (this.state === 'ended') return;
    this.state = 'ended';
    this.onEnd?.resolve();
  }

  /** What was not asked by now must not be asked by anyone: it fails. */
  abandon(error: unknown): void {
    this.endpointAnswer ??= rejected(error);
    if (this.responseHead !== null) this.patch ??= rejected(error);
    this.end();
  }

  /** Resolves when it is known what was asked; undefined when it is. */
  get undecided(): Deferred<void> | undefined {
    return this.state === 'under way' ? (this.onEnd ??= new Deferred()) : undefined;
  }
}

function rejected(error: unknown): Deferred<never> {
  const answer = new Deferred<never>();
  answer.reject(error);
  return answer;
}
