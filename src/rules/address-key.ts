/**
 * What requests from an address are counted under. A client of IPv6 usually has a whole /64 network, and could use
 * a new address for each request.
 */
export function addressKey(address: string): string {
  if (!address.includes(':')) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  return mapped ?? `${network(address)}::/64`;
}

/** The first four groups of an IPv6 address. */
function network(address: string): string {
  const [front = '', back] = address.split('%', 1)[0]!.split('::');
  const groups = front === '' ? [] : front.split(':');
  if (back !== undefined) {
    const tail = back === '' ? [] : back.split(':');
    // An IPv4 address at the end stands for two groups.
    const length = tail.length + (tail.at(-1)?.includes('.') === true ? 1 : 0);
    while (groups.length + length < 8) groups.push('0');
    groups.push(...tail);
  }
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
