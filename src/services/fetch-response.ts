import { isUtf8 } from 'node:buffer';
import { FetchError } from './fetch-error.js';

/** Longest body of a response, after decompression. */
const BODY_BYTES_MAX = 4 * 1024 * 1024;
/** Longest answer to the plugin. A text with many characters that JSON escapes is sent as base64 instead. */
const ANSWER_UNITS_MAX = 8 * 1024 * 1024;
/** Headers of the connection, and those that describe the body before it was decompressed. */
const HIDDEN: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'transfer-encoding']);
const ENCODED: ReadonlySet<string> = new Set(['content-encoding', 'content-length']);

/** Reads a response as the document of http_fetch(). @throws FetchError when the body is too long */
export async function fetchedDocument(response: Response): Promise<string> {
  const bytes = await readBody(response);
  const head = { status: response.status, headers: headersOf(response.headers) };
  if (isUtf8(bytes)) {
    const document = JSON.stringify({ ...head, body: bytes.toString(), body_encoding: 'text' });
    if (document.length <= ANSWER_UNITS_MAX) return document;
  }
  return JSON.stringify({ ...head, body: bytes.toString('base64'), body_encoding: 'base64' });
}

async function readBody(response: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop early cancels the rest.
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > BODY_BYTES_MAX)
      throw new FetchError(`the body of the response is longer than ${BODY_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

/** Names in lower case. Repeated headers are joined, except for cookies, which are a list. */
function headersOf(headers: Headers): Record<string, string | string[]> {
  const isEncoded = headers.has('content-encoding');
  const shown: Record<string, string | string[]> = {};
  for (const [name, value] of headers) {
    if (HIDDEN.has(name) || (isEncoded && ENCODED.has(name))) continue;
    shown[name] = name === 'set-cookie' ? headers.getSetCookie() : value;
  }
  return shown;
}
