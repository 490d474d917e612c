import { statSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { lookup } from 'mrmime';
import { BackworksError } from '../../errors.js';
import type { EndpointConfig, ContentCoding, FilesTarget } from '../../config/types.js';
import type { HeaderMap, PluginResponse } from '../../plugins/plugin.js';
import { acceptedCodings } from '../content/accept-encoding.js';
import { byteRange } from '../content/byte-range.js';
import { allowsRange, evaluateConditions, type HeaderReader } from '../content/conditions.js';
import { formatHttpDate } from '../content/http-date.js';
import { headerText, joinedRawHeader } from '../documents/header-map.js';
import type { IncomingRequest } from '../documents/incoming-request.js';
import type { RequestDocument } from '../documents/request-document.js';
import { namedFile } from './file-names.js';
import { fileStream } from './file-stream.js';
import { OpenFile } from './open-file.js';

/** Files up to this size are read at once. Longer ones stay open until the client has them. */
const WHOLE_BYTES_MAX = 64 * 1024;

const SUFFIXES: Readonly<Record<ContentCoding, string>> = { br: '.br', gzip: '.gz', zstd: '.zst' };

/** A file that answers a request. */
interface FoundFile {
  readonly file: OpenFile;
  readonly name: string;
  /** The coding of its bytes; null for none. */
  readonly coding: ContentCoding | null;
  readonly isFallback: boolean;
}

/**
 * An endpoint that serves the files of a directory, for GET and HEAD. No library does this for a server whose answers
 * pass hooks before they are sent: `send` and packages like it write to the connection themselves, and Hono's
 * middleware has neither ranges nor conditional requests.
 */
export class FilesEndpoint {
  private readonly prefixSegments: number;

  /** @throws BackworksError BW_CONFIG_INVALID when the directory does not exist. */
  constructor(
    { name, path }: Pick<EndpointConfig, 'name' | 'path'>,
    private readonly files: FilesTarget,
  ) {
    this.prefixSegments = path.split('/').length - '/*'.length;
    const { directory } = files;
    if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true)
      throw new BackworksError('BW_CONFIG_INVALID', `endpoint ${name}: ${directory} is not a directory`, {
        hint: 'create the directory, or correct files.directory',
      });
  }

  /**
   * @param document the request after the plugins; null when none has seen it
   * @throws BackworksError BW_FILE_NOT_FOUND, BW_FILE_READ, BW_REQUEST_PRECONDITION.
   */
  async respond(request: IncomingRequest, document: RequestDocument | null): Promise<PluginResponse> {
    const header: HeaderReader =
      document === null
        ? (name) => joinedRawHeader(request.rawHeaders, name)
        : (name) => headerText(document.headers, name);
    const { path } = document ?? request;
    const named = namedFile(path, this.prefixSegments, this.files.dotfiles);
    if (named === null) throw notFound(path);
    const { index, fallback } = this.files;
    const names = named.isDirectory ? [...named.names, index] : named.names;
    const found = await this.find(names, header, false);
    if (found === 'directory' && !named.isDirectory) return redirect(path, request.search);
    if (found !== null && found !== 'directory') return this.answer(request.method, header, found);
    const other = fallback === null ? null : await this.find(fallback.split('/'), header, true);
    if (other === null || other === 'directory') throw notFound(path);
    return this.answer(request.method, header, other);
  }

  /** Opens a file, or the variant of the file that the client prefers. */
  private async find(
    names: readonly string[],
    header: HeaderReader,
    isFallback: boolean,
  ): Promise<FoundFile | 'directory' | null> {
    const file = await OpenFile.open(this.files, names);
    if (!(file instanceof OpenFile)) return file;
    const name = names.at(-1)!;
    for (const coding of acceptedCodings(header('accept-encoding'), this.files.precompressed)) {
      const variant = await this.variant([...names.slice(0, -1), name + SUFFIXES[coding]], file);
      if (variant !== null) return { file: variant, name, coding, isFallback };
    }
    return { file, name, coding: null, isFallback };
  }

  /** Opens a variant of a file. The file itself is closed when there is a variant, and after an error. */
  private async variant(names: readonly string[], file: OpenFile): Promise<OpenFile | null> {
    let isNeeded = false;
    try {
      const variant = await OpenFile.open(this.files, names);
      isNeeded = !(variant instanceof OpenFile);
      return variant instanceof OpenFile ? variant : null;
    } finally {
      if (!isNeeded) await file.close();
    }
  }

  /** Closes the file, at the latest when the client has it. */
  private async answer(method: string, header: HeaderReader, found: FoundFile): Promise<PluginResponse> {
    const { file } = found;
    let body: Readable | null = null;
    try {
      const headers = this.headersOf(found);
      const validators = { etag: file.etag, lastModifiedMs: file.modifiedMs };
      const result = evaluateConditions(method, header, validators);
      if (result === 'failed')
        throw new BackworksError('BW_REQUEST_PRECONDITION', 'the file is another version');
      if (result === 'unchanged') return { status: 304, headers, body };
      headers['content-type'] = typeOf(found.name);
      const asked = method === 'GET' && allowsRange(header, validators) ? header('range') : undefined;
      const range = byteRange(asked, file.sizeBytes);
      if (range === 'unsatisfiable') return unsatisfiable(file.sizeBytes);
      const { first, last } = range ?? { first: 0, last: file.sizeBytes - 1 };
      const length = last - first + 1;
      if (range !== null) headers['content-range'] = `bytes ${first}-${last}/${file.sizeBytes}`;
      headers['content-length'] = String(length);
      const status = range === null ? 200 : 206;
      if (method === 'HEAD' || length === 0) return { status, headers, body };
      if (length <= WHOLE_BYTES_MAX) return { status, headers, body: await readWhole(file, first, length) };
      body = fileStream(file, { first, last });
      return { status, headers, body };
    } finally {
      if (body === null) await file.close();
    }
  }

  private headersOf({ file, coding, isFallback }: FoundFile): HeaderMap {
    const headers: HeaderMap = {
      etag: file.etag,
      'last-modified': formatHttpDate(file.modifiedMs),
      'accept-ranges': 'bytes',
    };
    // The fallback answers for many URLs. An age meant for files would keep it where a file appears later.
    const cacheControl = isFallback ? 'no-cache' : this.files.cacheControl;
    if (cacheControl !== null) headers['cache-control'] = cacheControl;
    if (coding !== null) headers['content-encoding'] = coding;
    if (this.files.precompressed.length > 0) headers['vary'] = 'accept-encoding';
    return headers;
  }
}

/** Relative links of the index work only below a path that ends in a slash. */
function redirect(path: string, search: string): PluginResponse {
  const location = `${path}/${search === '' ? '' : `?${search}`}`;
  return { status: 308, headers: { location }, body: null };
}

function unsatisfiable(sizeBytes: number): PluginResponse {
  return { status: 416, headers: { 'content-range': `bytes */${sizeBytes}` }, body: null };
}

async function readWhole(file: OpenFile, first: number, length: number): Promise<Buffer> {
  const bytes = await file.read(first, length);
  if (bytes.length < length) throw file.shortened();
  return bytes;
}

function typeOf(name: string): string {
  const type = lookup(name) ?? 'application/octet-stream';
  return type.startsWith('text/') ? `${type}; charset=utf-8` : type;
}

function notFound(path: string): BackworksError {
  return new BackworksError('BW_FILE_NOT_FOUND', `there is no file for ${path}`);
}
