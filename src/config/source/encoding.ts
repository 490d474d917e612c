import { isUtf8 } from 'node:buffer';
import { type Place, ProblemReport } from './problems.js';

const NEWLINE = 0x0a;

/**
 * Decodes the text of a configuration file and removes a byte order mark.
 * @param name the file's name for messages
 * @throws ConfigError when the file is not UTF-8. The error has the location of the first wrong byte.
 */
export function decode(bytes: Buffer, name: string): string {
  if (isUtf8(bytes)) return bytes.toString('utf8').replace(/^\ufeff/, '');
  const report = new ProblemReport();
  const reject = (place: Place, message: string): never => {
    report.add('BW_CONFIG_SYNTAX', '', place, { message, hint: 'save the file as UTF-8' });
    return report.fail();
  };
  const order = bytes.toString('latin1', 0, 2);
  if (order === '\xff\xfe' || order === '\xfe\xff') {
    return reject({ file: name, line: 1, column: 1 }, 'the file is UTF-16');
  }
  const { line, column, byte } = firstFault(bytes);
  return reject(
    { file: name, line, column },
    `the byte 0x${byte.toString(16).padStart(2, '0')} is not UTF-8`,
  );
}

/** Finds the first invalid byte line by line. UTF-8 sequences never contain a line feed. */
function firstFault(bytes: Buffer): { line: number; column: number; byte: number } {
  let line = 1;
  let start = 0;
  for (;;) {
    const feed = bytes.indexOf(NEWLINE, start);
    const end = feed === -1 ? bytes.length : feed;
    const part = bytes.subarray(start, end);
    if (!isUtf8(part) || feed === -1) return { line, ...faultInLine(part) };
    line += 1;
    start = feed + 1;
  }
}

function faultInLine(line: Buffer): { column: number; byte: number } {
  let column = 1;
  let offset = 0;
  for (const character of line.toString('utf8')) {
    const length = Buffer.byteLength(character);
    // Invalid bytes decode to U+FFFD, but the file may also contain U+FFFD itself.
    if (character === '\ufffd' && line.toString('latin1', offset, offset + 3) !== '\xef\xbf\xbd') break;
    column += character.length;
    offset += length;
  }
  return { column, byte: line[offset] ?? 0 };
}
