/**
 * Removes the brackets of `[::1]`: the system expects the address without them. In URLs IPv6 addresses have
 * brackets, so people write the brackets in the file too.
 */
export function unbracketed(host: string): string {
  return /^\[(.*)\]$/.exec(host)?.[1] ?? host;
}
