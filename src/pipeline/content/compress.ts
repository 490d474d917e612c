import { pipeline, type Readable, type Transform } from 'node:stream';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import type { CompressionLevel, ContentCoding } from '../../config/types.js';

/** What Node.js has from 22.15 on. */
interface Zstd {
  readonly createZstdCompress?: (options: object) => Transform & Flushing;
  readonly zstdCompress?: (
    bytes: Buffer,
    options: object,
    callback: (error: Error | null, result: Buffer) => void,
  ) => void;
}

interface Flushing {
  /** Hands on what has been compressed so far. */
  flush(kind?: number): void;
}

const { createZstdCompress, zstdCompress } = zlib as Zstd;
const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN, BROTLI_OPERATION_FLUSH, Z_SYNC_FLUSH } = zlib.constants;
/** ZSTD_c_compressionLevel and ZSTD_e_flush of zstd.h. */
const ZSTD_LEVEL = 100;
const ZSTD_FLUSH = 1;

/**
 * brotli: a window of 512 KiB, as in nginx; Node's default of 4 MiB would cost 9 MiB of memory for each body. The
 * highest levels of brotli and zstd need seconds for a megabyte, so `small` stays below them.
 */
const BROTLI_WINDOW_BITS = 19;
const LEVELS: Readonly<Record<ContentCoding, Readonly<Record<CompressionLevel, number>>>> = {
  br: { fast: 1, balanced: 4, small: 9 },
  gzip: { fast: 1, balanced: 6, small: 9 },
  zstd: { fast: 1, balanced: 3, small: 12 },
};

/** Whether this Node.js has the coding. */
export function hasCoding(coding: ContentCoding): boolean {
  return coding !== 'zstd' || createZstdCompress !== undefined;
}

/** Compresses a body, outside of the event loop. */
export function compress(bytes: Buffer, coding: ContentCoding, level: CompressionLevel): Promise<Buffer> {
  const options = optionsOf(coding, level);
  if (coding === 'gzip') return promisify(zlib.gzip as Compress)(bytes, options);
  return promisify(coding === 'br' ? (zlib.brotliCompress as Compress) : zstdCompress!)(bytes, options);
}

type Compress = NonNullable<Zstd['zstdCompress']>;

/**
 * Compresses a body as it arrives. What has arrived is handed on as soon as nothing follows at once, so that an event
 * reaches the client when it happens. Destroying the result destroys the source.
 */
export function compressing(source: Readable, coding: ContentCoding, level: CompressionLevel): Readable {
  const compressor = compressorOf(coding, level);
  const flushKind = coding === 'gzip' ? Z_SYNC_FLUSH : coding === 'br' ? BROTLI_OPERATION_FLUSH : ZSTD_FLUSH;
  let isWaiting = false;
  const flush = (): void => {
    isWaiting = false;
    if (!compressor.destroyed && !compressor.writableEnded) compressor.flush(flushKind);
  };
  pipeline(source, compressor, () => undefined);
  source.on('data', () => {
    if (!isWaiting) setImmediate(flush);
    isWaiting = true;
  });
  return compressor;
}

function compressorOf(coding: ContentCoding, level: CompressionLevel): Transform & Flushing {
  const options = optionsOf(coding, level);
  if (coding === 'gzip') return zlib.createGzip(options);
  return coding === 'br' ? zlib.createBrotliCompress(options) : createZstdCompress!(options);
}

function optionsOf(coding: ContentCoding, level: CompressionLevel): object {
  const value = LEVELS[coding][level];
  if (coding === 'gzip') return { level: value };
  if (coding === 'zstd') return { params: { [ZSTD_LEVEL]: value } };
  return { params: { [BROTLI_PARAM_QUALITY]: value, [BROTLI_PARAM_LGWIN]: BROTLI_WINDOW_BITS } };
}
