import { BackworksError, PluginFailure, toBackworksError } from '../../errors.js';
import type { Log } from '../../log.js';
import type { RequestingCall, NativeReply, OperationRequest } from '../../native/plugin.js';
import { oneLine } from '../../printable.js';
import type { Provider } from './dependency-resolver.js';
import type { LazyPlugin } from '../../plugins/lazy-plugin.js';
import type { LoadedPlugin } from '../../plugins/loaded-plugin.js';
import type { Caller } from '../../plugins/plugin.js';

/** Longest chain of plugins that call each other. */
const CHAIN_MAX = 8;
/** Names from plugins are cut to this length in log lines. */
const NAME_SHOWN_MAX = 128;

export interface PluginCallsOptions {
  /** The serving plugin of a name, or null. */
  readonly find: (name: string) => LoadedPlugin | LazyPlugin | null;
  /** The providers of a plugin's dependencies that exist. */
  readonly providersOf: (name: string) => readonly Provider[];
  readonly log: Log;
}

/** Lets plugins call operations of the plugins they depend on. */
export class PluginCalls {
  constructor(private readonly options: PluginCallsOptions) {}

  /**
   * Performs an operation for a plugin. The deadline, breaker and limits are those of the plugin that performs
   * the operation. A refused or failed operation is logged and answered with null. Never rejects.
   * @param caller the running call of the asking plugin, or null
   */
  async operate(
    asking: string,
    request: OperationRequest,
    caller: RequestingCall | null,
  ): Promise<NativeReply> {
    try {
      if (caller === null) throw refused(asking, request, 'outside of a call');
      const callers = [...(caller.callers ?? []), asking];
      const plugin = this.performer(asking, request, callers);
      const { operation, payload } = request;
      const { requestId, trace } = caller;
      const nested: Caller = { id: requestId ?? '', callers, trace, cancelled: false, call: null };
      return await plugin.perform(operation, payload, nested);
    } catch (thrown) {
      const { code, message } = toBackworksError(thrown);
      const fields = { plugin: asking, code, requestId: caller?.requestId ?? undefined };
      this.options.log.warn(fields, message);
      return null;
    }
  }

  /** @throws BackworksError the reason the operation is not performed */
  private performer(
    asking: string,
    request: OperationRequest,
    callers: readonly string[],
  ): LoadedPlugin | LazyPlugin {
    const { plugin: named, operation } = request;
    const provider = this.options
      .providersOf(asking)
      .find(({ name, dependency }) =>
        named === null ? dependency.kind === 'capability' && dependency.name === operation : name === named,
      );
    if (provider === undefined) {
      const whom = named === null ? shown(operation) : `plugin ${shown(named)}`;
      throw refused(
        asking,
        request,
        `its manifest declares no dependency on ${whom}, or that plugin is missing`,
      );
    }
    const { name } = provider;
    const chain = [...callers, name].join(' → ');
    if (callers.includes(name)) throw refused(asking, request, `the calls would form a circle: ${chain}`);
    if (callers.length >= CHAIN_MAX)
      throw refused(asking, request, `more than ${CHAIN_MAX} plugins would call each other: ${chain}`);
    const plugin = this.options.find(name);
    if (plugin === null) {
      throw new PluginFailure(
        'BW_PLUGIN_UNAVAILABLE',
        `plugin ${asking} called ${name}, which does not serve`,
        {
          plugin: name,
          phase: 'call',
        },
      );
    }
    if (!plugin.metadata.capabilities.includes(operation))
      throw refused(asking, request, `the manifest of ${name} does not list this operation as a capability`);
    return plugin;
  }
}

function refused(asking: string, { plugin, operation }: OperationRequest, why: string): BackworksError {
  const what = plugin === null ? shown(operation) : `${shown(operation)} of ${shown(plugin)}`;
  return new BackworksError('BW_PLUGIN_CALL_REFUSED', `plugin ${asking} may not call ${what}: ${why}`);
}

/** A name from a plugin, shortened and escaped for a log line. */
function shown(name: string): string {
  return oneLine(name.length > NAME_SHOWN_MAX ? `${name.slice(0, NAME_SHOWN_MAX)}…` : name);
}
