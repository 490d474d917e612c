/** The parser of PROXY protocol headers. */
import { isIP } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readProxyHeader } from '../../dist/http/proxy-protocol.js';
import { binaryHeader } from './proxy-headers.js';

const read = (text: string) => readProxyHeader(Buffer.from(text, 'latin1'));

describe('version 1', () => {
  test.each([
    ['PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n', { address: '192.0.2.1', port: 56324 }],
    ['PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n', { address: '2001:db8::1', port: 1 }],
    ['PROXY UNKNOWN\r\n', null],
    ['PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n', null],
  ])('%j', (line, client) => {
    expect(read(line)).toEqual({ length: line.length, client });
    expect(read(`${line}GET / HTTP/1.1\r\n`)).toEqual({ length: line.length, client });
    for (let end = 0; end < line.length; end += 1) expect(read(line.slice(0, end))).toBe('more');
  });

  test.each([
    'PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 56324\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 65536 443\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 080 443\r\n',
    'PROXY TCP4 192.0.2.256 198.51.100.2 80 443\r\n',
    'PROXY TCP4 ::1 ::2 80 443\r\n',
    'PROXY TCP6 192.0.2.1 198.51.100.2 80 443\r\n',
    'PROXY TCP4  192.0.2.1 198.51.100.2 80 443\r\n',
    'PROXY tcp4 192.0.2.1 198.51.100.2 80 443\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 80 443 \r\n',
    `PROXY UNKNOWN ${'x'.repeat(100)}\r\n`,
    'PROXY\r\n',
    'GET / HTTP/1.1\r\n',
    'PROX!',
    'x',
  ])('%j is invalid', (line) => {
    expect(read(line)).toBe('invalid');
  });
});

describe('version 2', () => {
  const v4 = { family: 0x11, addresses: Buffer.from('c0000201c6336402005001bb', 'hex') };

  test.each([
    ['TCP over IPv4', binaryHeader(v4), { address: '192.0.2.1', port: 80 }],
    [
      'what follows the addresses',
      binaryHeader({ ...v4, more: Buffer.alloc(100, 4) }),
      { address: '192.0.2.1', port: 80 },
    ],
    [
      'TCP over IPv6',
      binaryHeader({
        family: 0x21,
        addresses: Buffer.from(`20010db8${'00'.repeat(11)}01${'00'.repeat(16)}ffff0050`, 'hex'),
      }),
      { address: '2001:db8::1', port: 65535 },
    ],
    ['LOCAL', binaryHeader({ ...v4, command: 0x20 }), null],
    ['LOCAL without addresses', binaryHeader({ command: 0x20, family: 0, addresses: Buffer.alloc(0) }), null],
    ['an unspecified family', binaryHeader({ family: 0, addresses: Buffer.alloc(0) }), null],
    ['a Unix socket', binaryHeader({ family: 0x31, addresses: Buffer.alloc(216, 97) }), null],
    ['UDP', binaryHeader({ ...v4, family: 0x12 }), null],
  ])('%s', (_what, header, client) => {
    expect(readProxyHeader(header)).toEqual({ length: header.length, client });
    expect(readProxyHeader(Buffer.concat([header, Buffer.from('rest')]))).toEqual({
      length: header.length,
      client,
    });
    for (let end = 0; end < header.length; end += 1)
      expect(readProxyHeader(header.subarray(0, end))).toBe('more');
  });

  test.each([
    ['another version', binaryHeader({ ...v4, command: 0x31 })],
    ['another command', binaryHeader({ ...v4, command: 0x22 })],
    ['too few bytes for its family', binaryHeader({ family: 0x11, addresses: Buffer.alloc(11) })],
    ['too few bytes for IPv6', binaryHeader({ family: 0x21, addresses: Buffer.alloc(35) })],
    ['more than 4 KiB', binaryHeader({ ...v4, more: Buffer.alloc(4085) })],
    ['a damaged signature', Buffer.from('\r\n\r\n\0\r\nQUIX\n    ', 'latin1')],
  ])('%s is invalid', (_what, header) => {
    expect(readProxyHeader(header)).toBe('invalid');
  });
});

test('every address and port comes out as it went in', () => {
  fc.assert(
    fc.property(fc.ipV6(), fc.nat(65535), (address, port) => {
      fc.pre(isIP(address) === 6);
      const result = read(`PROXY TCP6 ${address} ::1 ${port} 1\r\n`);
      expect(result).toMatchObject({ client: { address, port } });
    }),
  );
  fc.assert(
    fc.property(fc.ipV4(), fc.nat(65535), (address, port) => {
      const addresses = Buffer.concat([
        Buffer.from(address.split('.').map(Number)),
        Buffer.alloc(4),
        Buffer.from([port >> 8, port & 255, 0, 1]),
      ]);
      expect(readProxyHeader(binaryHeader({ family: 0x11, addresses }))).toMatchObject({
        client: { address, port },
      });
    }),
  );
});

test('any bytes are valid, invalid or incomplete; what is incomplete is short', () => {
  const begins = fc.constantFrom(
    '',
    'PROXY ',
    'PROXY TCP4 ',
    'PROXY UNKNOWN',
    '\r\n\r\n\0\r\nQUIT\n',
    '\r\n\r\n\0\r\nQUIT\n!\x11',
  );
  fc.assert(
    fc.property(begins, fc.uint8Array({ maxLength: 6000 }), (start, rest) => {
      const bytes = Buffer.concat([Buffer.from(start, 'latin1'), rest]);
      const result = readProxyHeader(bytes);
      if (result === 'more') expect(bytes.length).toBeLessThan(16 + 4096);
      else if (result !== 'invalid') {
        expect(result.length).toBeLessThanOrEqual(bytes.length);
        if (result.client !== null) expect(isIP(result.client.address)).not.toBe(0);
      }
    }),
    { numRuns: 2000 },
  );
});
