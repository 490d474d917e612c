import { oneLine } from '../../printable.js';
import koffi, { type LibraryHandle, type TypeObject } from 'koffi';
import { PluginFailure } from '../../errors.js';
import {
  ABI_VERSION,
  BackworksExtensions,
  PluginInfo,
  PluginVTable,
  PROTOTYPES,
  THREAD_SAFE,
} from './abi.js';
import type { AbiFunction, LibraryDescription } from '../plugin.js';

/** A native function as koffi returns it; synchronous. */
type NativeFunction = (...args: unknown[]) => unknown;

const VTABLE = [
  'initialize',
  'shutdown',
  'health_check',
  'before_request',
  'after_response',
  'process_endpoint',
] as const satisfies readonly AbiFunction[];
const EXTENSIONS = [
  'manifest',
  'free_string',
  'last_error',
  'bind_host',
  'call',
  'reconfigure',
] as const satisfies readonly AbiFunction[];
/** Functions whose string is passed to free_string. */
const OWNED: ReadonlySet<AbiFunction> = new Set([
  'before_request',
  'after_response',
  'process_endpoint',
  'call',
]);

/** Every library ever loaded: koffi unloads a library as soon as nothing refers to its handle. */
const loaded: LibraryHandle[] = [];

/** A library loaded into this process: its description and its functions. It is never unloaded. */
export class InProcessLibrary {
  readonly description: LibraryDescription;
  private readonly functions = new Map<AbiFunction, NativeFunction>();

  /** @throws PluginFailure BW_PLUGIN_LOAD or BW_PLUGIN_ABI */
  constructor(
    private readonly plugin: string,
    path: string,
  ) {
    const library = this.load(path);
    const info = this.symbol(library, 'plugin_info', PluginInfo) as Record<string, string | null>;
    const vtable = this.symbol(library, 'plugin_vtable', PluginVTable) as Record<string, unknown>;
    const extensions = readExtensions(library);
    const { abi_version: needed = 0, flags = 0n } = extensions;
    if (Number(needed) > ABI_VERSION) {
      throw this.failure('BW_PLUGIN_ABI', `needs plugin ABI ${String(needed)}, this host has ${ABI_VERSION}`);
    }
    const free = bind(extensions.free_string, PROTOTYPES.free_string);
    for (const name of EXTENSIONS) this.add(name, extensions[name], free);
    for (const name of VTABLE) this.add(name, vtable[name], free);
    this.description = {
      name: info.name ?? '',
      version: info.version ?? '',
      description: info.description ?? '',
      manifest: (this.functions.get('manifest')?.() as string | null | undefined) ?? null,
      functions: new Set(this.functions.keys()),
      threadSafe: (BigInt(flags as bigint) & THREAD_SAFE) !== 0n,
    };
  }

  /** The function, or null when the library does not implement it. */
  get(name: AbiFunction): NativeFunction | null {
    return this.functions.get(name) ?? null;
  }

  /** The plugin's explanation of its last non-zero return; "" when it gives none. */
  lastError(): string {
    return oneLine((this.functions.get('last_error')?.() as string | null | undefined) ?? '');
  }

  private load(path: string): LibraryHandle {
    try {
      // RTLD_DEEPBIND: the library finds the functions it was linked to before those that the server
      // exports. Node exports its own OpenSSL, whose structures differ from the system's.
      const library = koffi.load(path, { deep: true });
      loaded.push(library);
      return library;
    } catch (cause) {
      throw this.failure('BW_PLUGIN_LOAD', `cannot be loaded: ${path}: ${messageOf(cause)}`, cause);
    }
  }

  private symbol(library: LibraryHandle, name: string, type: TypeObject): unknown {
    let call: () => unknown;
    try {
      call = library.func(name, type, []);
    } catch (cause) {
      throw this.failure('BW_PLUGIN_LOAD', `is not a plugin, it exports no ${name}()`, cause);
    }
    return call();
  }

  private add(
    name: (typeof VTABLE)[number] | (typeof EXTENSIONS)[number],
    pointer: unknown,
    free: NativeFunction | null,
  ): void {
    const prototype = OWNED.has(name) && free !== null ? owned(name as OwnedHook, free) : PROTOTYPES[name];
    const bound = bind(pointer, prototype);
    if (bound !== null) this.functions.set(name, bound);
  }

  private failure(code: 'BW_PLUGIN_LOAD' | 'BW_PLUGIN_ABI', text: string, cause?: unknown): PluginFailure {
    const { plugin } = this;
    return new PluginFailure(code, `plugin ${plugin} ${text}`, { plugin, phase: 'load', cause });
  }
}

type OwnedHook = 'before_request' | 'after_response' | 'process_endpoint' | 'call';

const ARGUMENTS: Readonly<Record<OwnedHook, number>> = {
  before_request: 1,
  after_response: 1,
  process_endpoint: 3,
  call: 2,
};

/** The hook's type, with a result that koffi copies and then passes to `free`. */
function owned(hook: OwnedHook, free: NativeFunction): TypeObject {
  const text = koffi.disposable('const char *', free);
  return koffi.proto(text, Array<string>(ARGUMENTS[hook]).fill('const char *'));
}

function bind(pointer: unknown, prototype: TypeObject): NativeFunction | null {
  if (pointer === null || pointer === undefined || pointer === 0n) return null;
  return koffi.decode(pointer, prototype) as NativeFunction;
}

/** Reads the members of the extension table that both sides know; empty when the library has no table. */
function readExtensions(library: LibraryHandle): Record<string, unknown> {
  let open: () => unknown;
  try {
    open = library.func('backworks_extensions', 'void *', []);
  } catch {
    return {};
  }
  const table = open();
  if (table === null || table === 0n) return {};
  const size = koffi.decode(table, 'uint32_t') as number;
  const members = Object.entries(
    BackworksExtensions.members as Record<string, { type: TypeObject; offset: number }>,
  );
  const known = members.filter(([, { type, offset }]) => offset + koffi.sizeof(type) <= size);
  return Object.fromEntries(
    known.map(([name, { type, offset }]) => [name, koffi.decode(table, offset, type)]),
  );
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
