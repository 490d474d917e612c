import { realpathSync } from 'node:fs';
import { buildProject } from '../../authoring/build/build.js';
import { findProject, type Project } from '../../authoring/build/project.js';
import { SourceWatch } from '../../authoring/build/source-watch.js';
import { type Backworks, createBackworks } from '../../backworks.js';
import { loadConfig } from '../../config/load/load.js';
import type { BackworksConfig, PluginConfig } from '../../config/types.js';
import { BackworksError, EXIT, toBackworksError } from '../../errors.js';
import { announce } from '../serve/announcement.js';
import type { CommandContext, ExitCode } from '../command/command.js';
import { type ConfigRequest, requestConfig } from '../command/config-file.js';
import { reportFailure } from '../command/failure.js';
import { type Interrupt, listenForInterrupt } from '../command/interrupt.js';
import { createLogger } from '../terminal/logger.js';
import { showCall } from './plugin-build.js';
import type { Screen } from '../terminal/screen.js';

export interface DevOptions {
  /** Name of the plugin in the configuration. Default: the one whose library the build makes. */
  readonly plugin?: string;
  readonly release?: boolean;
}

/**
 * `backworks plugin dev [DIR]`: builds a plugin after each change of its sources and swaps it into a server that this
 * command runs. When a build or a swap fails, the last good version keeps serving.
 */
export async function pluginDev(
  context: CommandContext,
  directory: string,
  options: DevOptions,
): Promise<ExitCode> {
  const project = await findProject(directory);
  const request = await requestConfig(context);
  await loadConfig(request.file, request.options);
  const interrupt = listenForInterrupt();
  const watch = await SourceWatch.open(project.directory);
  const session = new DevSession(context, project, request, options, interrupt);
  const reload = (): void => void session.reload();
  process.on('SIGHUP', reload);
  const stopped = new Promise<null>((resolve) => {
    interrupt.signal.addEventListener('abort', () => resolve(null), { once: true });
  });
  try {
    while (!interrupt.signal.aborted) {
      await session.refresh();
      await Promise.race([watch.changed(), stopped]);
    }
  } finally {
    process.off('SIGHUP', reload);
    watch.close();
    await session.close();
  }
  context.err.line('stopped');
  return EXIT.ok;
}

class DevSession {
  private server: Backworks | null = null;
  private plugin = '';
  private readonly err: Screen;

  constructor(
    private readonly context: CommandContext,
    private readonly project: Project,
    private readonly request: ConfigRequest,
    private readonly options: DevOptions,
    private readonly interrupt: Interrupt,
  ) {
    this.err = context.err;
  }

  /** Builds, and starts the server or swaps the plugin. A failure is reported, and the next change tries again. */
  async refresh(): Promise<void> {
    try {
      const { libraries, durationMs } = await buildProject(
        this.project,
        {
          target: null,
          profile: this.options.release === true ? 'release' : 'debug',
          environment: this.context.env,
        },
        { signal: this.interrupt.signal, calls: (call) => showCall(this.err, call) },
      );
      this.err.line(`${this.err.style('green', 'built')} in ${(durationMs / 1000).toFixed(1)} s`);
      if (this.server === null) await this.start(libraries.map(({ path }) => path));
      else await this.swap(this.server);
    } catch (error) {
      if (this.interrupt.signal.aborted) return;
      this.report(error);
    }
  }

  /** Reads the configuration again, as `backworks start` does on SIGHUP. The server logs what is wrong with it. */
  async reload(): Promise<void> {
    await this.server?.reload().catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.server?.stop();
  }

  private async start(libraries: readonly string[]): Promise<void> {
    const { context, request } = this;
    const load = (): ReturnType<typeof loadConfig> => loadConfig(request.file, request.options);
    const { config } = await load();
    this.plugin = entryOf(config, libraries, this.options.plugin).name;
    const logging = context.json ? { ...config.logging, format: 'json' as const } : config.logging;
    const log = createLogger(logging, context.out);
    const server = createBackworks(config, { log, environment: context.env, load });
    try {
      const address = await server.start();
      this.server = server;
      announce({ config, backworks: server, address, log, logging, context });
      this.err.line(`${this.err.style('green', 'serving')} ${this.plugin}; waiting for changes`);
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  private async swap(server: Backworks): Promise<void> {
    const { plugin, err } = this;
    const result = await this.swapOrRestart(server);
    const status = server.plugins().find(({ name }) => name === plugin);
    const version = status?.version ?? 'unknown';
    err.line(`${err.style('green', result)} ${plugin} ${version}; waiting for changes`);
  }

  /** A plugin that failed has no version to swap: it is started again, with the library that is there now. */
  private async swapOrRestart(server: Backworks): Promise<string> {
    try {
      return await server.swapPlugin(this.plugin, 'cli');
    } catch (error) {
      if (toBackworksError(error).code !== 'BW_PLUGIN_STATE') throw error;
      await server.restartPlugin(this.plugin);
      return 'restarted';
    }
  }

  private report(error: unknown): void {
    const { context, err } = this;
    reportFailure(error, { ...context, json: false });
    const serving = this.server
      ?.plugins()
      .find(({ name, state }) => name === this.plugin && state === 'ready');
    const what =
      serving === undefined
        ? 'no version serves; waiting for changes'
        : `${serving.name} ${serving.version ?? ''} keeps serving; waiting for changes`;
    err.line(err.style('yellow', what));
  }
}

/** The entry whose library the build makes. @throws BackworksError BW_PLUGIN_UNKNOWN */
function entryOf(
  { plugins, file }: BackworksConfig,
  libraries: readonly string[],
  name: string | undefined,
): PluginConfig {
  const built = libraries.map((path) => realpathSync(path));
  const isBuilt = ({ path }: PluginConfig): boolean => path !== null && built.includes(real(path));
  const entry = plugins.find((plugin) => (name === undefined ? isBuilt(plugin) : plugin.name === name));
  if (entry !== undefined && isBuilt(entry)) return entry;
  const what =
    entry === undefined
      ? `no plugin of ${file ?? 'the configuration'} has the library that the build makes`
      : `plugin ${entry.name} has the library ${entry.path ?? 'none'}, and the build makes another one`;
  throw new BackworksError('BW_PLUGIN_UNKNOWN', what, {
    hint: `its path must be ${libraries.join(' or ')}`,
  });
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
