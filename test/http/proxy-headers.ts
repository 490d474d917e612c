/** A header of the PROXY protocol, version 2. */
export function binaryHeader({
  command = 0x21,
  family,
  addresses,
  more = Buffer.alloc(0),
}: {
  command?: number;
  family: number;
  addresses: Buffer;
  more?: Buffer;
}): Buffer {
  const content = Buffer.concat([addresses, more]);
  const fixed = Buffer.from('\r\n\r\n\0\r\nQUIT\n    ', 'latin1');
  fixed[12] = command;
  fixed[13] = family;
  fixed.writeUInt16BE(content.length, 14);
  return Buffer.concat([fixed, content]);
}
