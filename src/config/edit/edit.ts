import { isDeepStrictEqual } from 'node:util';
import { type Document, isMap, isNode, isScalar, parseDocument } from 'yaml';
import { BackworksError } from '../../errors.js';
import { addPair, removePair, replaceValue, type Splice } from './splice.js';

/** A change of one plugin's entry in a configuration file. */
export type PluginEdit =
  /** `enabled: false`, in a new entry if the plugin has no entry. @param path `path` of the new entry */
  | { readonly kind: 'disable'; readonly path: string | null }
  /** Removes `enabled: false`. */
  | { readonly kind: 'enable' }
  /** A new entry. @param path as the file is to show it */
  | { readonly kind: 'add'; readonly path: string }
  | { readonly kind: 'remove' };

/**
 * Changes the entry of one plugin in the text of a configuration. The rest of the text stays byte for byte.
 * @returns the same text when there is nothing to change
 * @throws BackworksError BW_CONFIG_SYNTAX when the text cannot be edited automatically
 */
export function editPlugin(text: string, name: string, edit: PluginEdit): string {
  const document = parse(text);
  const splice = spliceOf(document, name, edit);
  if (splice === null) return text;
  const changed = text.slice(0, splice.start) + splice.text + text.slice(splice.end);
  // The result is verified against an edit of the parsed document: the edit is exact, or nothing changes.
  apply(document, name, edit);
  if (!isDeepStrictEqual(valueOf(parseDocument(changed, OPTIONS)), valueOf(document)))
    throw cannotEdit('its layout is unusual');
  return changed;

  function spliceOf(from: Document, plugin: string, change: PluginEdit): Splice | null {
    const top = mapping(from, []);
    const plugins = mapping(from, ['plugins']);
    const entry = mapping(from, ['plugins', plugin]);
    switch (change.kind) {
      case 'add':
        return entry === null ? addEntry(plugin, { path: change.path }) : null;
      case 'remove':
        return plugins !== null && plugins.has(plugin) ? removePair(text, plugins, plugin) : null;
      case 'enable':
        return entry?.get('enabled') === false ? replaceValue(entry, 'enabled', 'true') : null;
      case 'disable':
        if (entry === null)
          return addEntry(plugin, { ...(change.path !== null && { path: change.path }), enabled: false });
        if (entry.get('enabled') === false) return null;
        return entry.has('enabled')
          ? replaceValue(entry, 'enabled', 'false')
          : addPair(text, entry, 'enabled', false);
    }

    function addEntry(key: string, value: object): Splice {
      if (plugins !== null) return addPair(text, plugins, key, value);
      if (top !== null && !top.has('plugins')) return addPair(text, top, 'plugins', { [key]: value });
      if (top === null) return { start: text.length, end: text.length, text: fresh(key, value) };
      throw cannotEdit('plugins is empty');
    }
  }
}

const OPTIONS = { version: '1.2', schema: 'core' } as const;

function parse(text: string): Document {
  const document = parseDocument(text, OPTIONS);
  const [error] = document.errors;
  if (error !== undefined) throw cannotEdit(error.message.split('\n')[0] ?? 'it is not well-formed');
  return document;
}

/** The mapping at a path of keys; null when there is none or the key has no value. */
function mapping(document: Document, path: readonly string[]): ReturnType<typeof asMap> {
  const node: unknown = path.length === 0 ? document.contents : document.getIn(path, true);
  return asMap(node, path.join('.'));
}

function asMap(node: unknown, place: string) {
  if (isMap<unknown, unknown>(node)) return node;
  if (node === undefined || node === null || (isScalar(node) && node.value === null)) return null;
  throw cannotEdit(`${place} is not written as a mapping`);
}

/** The same change on the parsed document. The edited text is compared with it. */
function apply(document: Document, name: string, edit: PluginEdit): void {
  const path = ['plugins', name];
  if (edit.kind === 'remove') document.deleteIn(path);
  else if (edit.kind === 'enable') document.setIn([...path, 'enabled'], true);
  else if (edit.kind === 'add') document.setIn(path, document.createNode({ path: edit.path }));
  else if (isNode(document.getIn(path, true))) document.setIn([...path, 'enabled'], false);
  else {
    const entry = { ...(edit.path !== null && { path: edit.path }), enabled: false };
    document.setIn(path, document.createNode(entry));
  }
}

function valueOf(document: Document): unknown {
  return document.errors.length > 0 ? document.errors : document.toJS();
}

/** The text of a new mapping, for a file without one. */
function fresh(name: string, value: object): string {
  const lines = Object.entries(value).map(([key, part]) => `    ${key}: ${JSON.stringify(part)}\n`);
  return `plugins:\n  ${JSON.stringify(name)}:\n${lines.join('')}`;
}

function cannotEdit(why: string): BackworksError {
  return new BackworksError('BW_CONFIG_SYNTAX', `the file cannot be edited automatically: ${why}`, {
    hint: 'change it by hand',
  });
}
