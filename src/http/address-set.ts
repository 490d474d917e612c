import { BlockList, isIP } from 'node:net';
import { parseNetwork } from '../config/source/network.js';

/** IP addresses and networks of a configuration. */
export class AddressSet {
  private readonly addresses = new BlockList();

  /** @param texts addresses, and networks such as `10.0.0.0/8`; checked */
  constructor(texts: readonly string[]) {
    for (const text of texts) {
      const network = parseNetwork(text);
      if (network !== null) this.addresses.addSubnet(network.address, network.prefix, network.family);
    }
  }

  has(address: string): boolean {
    return this.addresses.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');
  }
}
