import { vetSchema } from '../../config/plugin-schema/vet.js';
import type { PipelineHook, PluginMetadata } from '../../plugins/metadata.js';
import { type Block, code, type Inline } from './blocks.js';
import { settingsOf } from './settings.js';

/** What a page about a plugin is made from. */
export interface ReferenceFacts {
  readonly metadata: PluginMetadata;
  /** Name of the library's file. */
  readonly file: string;
  /** SHA-256 of the library, in hexadecimal. */
  readonly digest: string;
  /** The manifest's `backworks`: versions of the server; null for all. */
  readonly servers: string | null;
  /** A `plugins:` block for the configuration; null when the plugin's schema cannot be used. */
  readonly entry: string | null;
}

const HOOKS: Readonly<Record<PipelineHook, string>> = {
  before_request: 'sees every request before its endpoint, and can change or answer it',
  process_endpoint: 'answers the requests of its endpoints',
  after_response: 'sees every response before it is sent, and can change it',
};

/** The page of a plugin: what it does, needs, and can be configured with. */
export function pluginReference({ metadata, entry, ...library }: ReferenceFacts): Block[] {
  const { name, version, description } = metadata;
  return [
    { kind: 'heading', level: 1, text: `${name} ${version}` },
    ...(description === '' ? [] : [paragraph(description)]),
    about(metadata, library),
    ...(entry === null
      ? []
      : [heading('In backworks.yaml'), { kind: 'code' as const, language: 'yaml' as const, text: entry }]),
    ...hooks(metadata),
    ...operations(metadata),
    ...configuration(metadata),
    ...permissions(metadata),
    ...dependencies(metadata),
  ];
}

const heading = (text: string): Block => ({ kind: 'heading', level: 2, text });
const paragraph = (...text: Inline[]): Block => ({ kind: 'paragraph', text });

function about(
  { author, license, threadSafe }: PluginMetadata,
  { file, digest, servers }: Omit<ReferenceFacts, 'metadata' | 'entry'>,
): Block {
  const rows: [string, Inline | null][] = [
    ['File', code(file)],
    ['SHA-256', code(digest)],
    ['Author', author],
    ['License', license],
    ['Versions of Backworks', servers === null ? null : code(servers)],
    ['Several calls at once', threadSafe ? 'yes (thread-safe)' : 'no'],
  ];
  const known = rows.filter((row): row is [string, Inline] => row[1] !== null);
  return { kind: 'table', head: ['About', ''], rows: known.map(([label, value]) => [[label], [value]]) };
}

function hooks({ hooks: present, priority, critical, body, maxExecutionTimeMs }: PluginMetadata): Block[] {
  const listed = [...present];
  const recommended: [string, string | null][] = [
    ['priority', priority === null ? null : String(priority)],
    ['critical', critical === null ? null : String(critical)],
    ['timeouts.call', maxExecutionTimeMs === null ? null : `${maxExecutionTimeMs}ms`],
    ['body.request', body.request],
    ['body.response', body.response],
  ];
  const given = recommended.filter((row): row is [string, string] => row[1] !== null);
  const rows = given.map(([key, value]): Inline[][] => [[code(key)], [code(value)]]);
  return [
    heading('Hooks'),
    listed.length === 0
      ? paragraph('None.')
      : { kind: 'list', items: listed.map((hook) => [code(hook), ` ${HOOKS[hook]}`]) },
    ...(rows.length === 0
      ? []
      : [
          paragraph(
            'The author recommends these settings. They apply unless the configuration says otherwise:',
          ),
          { kind: 'table' as const, head: ['Setting', 'Value'], rows },
        ]),
  ];
}

function operations({ capabilities }: PluginMetadata): Block[] {
  if (capabilities.length === 0) return [];
  return [
    heading('Operations'),
    paragraph('Other plugins can call:'),
    { kind: 'list', items: capabilities.map((name) => [code(name)]) },
  ];
}

function configuration({ configSchema }: PluginMetadata): Block[] {
  if (configSchema === null)
    return [
      heading('Configuration'),
      paragraph('The plugin has no schema for its ', code('config:'), ' block.'),
    ];
  const fault = vetSchema(configSchema);
  const settings = fault === null ? settingsOf(configSchema) : [];
  const rows = settings.map(({ name, value, required, preset, description }) => [
    [code(name)],
    [value],
    [required ? 'required' : preset === null ? '' : code(preset)],
    [description],
  ]);
  return [
    heading('Configuration'),
    ...(fault === null ? [] : [paragraph(`The server refuses this schema: ${fault}.`)]),
    ...(rows.length === 0
      ? []
      : [{ kind: 'table' as const, head: ['Setting', 'Value', 'Default', 'Meaning'], rows }]),
    paragraph('The JSON Schema of the ', code('config:'), ' block:'),
    { kind: 'code', language: 'json', text: JSON.stringify(configSchema, null, 2) },
  ];
}

function permissions({ permissions: requested }: PluginMetadata): Block[] {
  const blocks = [heading('Permissions')];
  if (requested === null) return [...blocks, paragraph('The plugin requests none.')];
  return [
    ...blocks,
    paragraph('The plugin requests these. It gets only what the configuration grants:'),
    { kind: 'code', language: 'json', text: JSON.stringify({ permissions: requested }, null, 2) },
  ];
}

function dependencies({ dependencies: needed }: PluginMetadata): Block[] {
  if (needed.length === 0) return [];
  const rows = needed.map(({ kind, name, version, optional }): Inline[][] => [
    [kind === 'plugin' ? 'plugin ' : 'any plugin with ', code(name)],
    [code(version)],
    [optional ? 'no' : 'yes'],
  ]);
  return [heading('Dependencies'), { kind: 'table', head: ['Needs', 'Version', 'Required'], rows }];
}
