/** `[::1]` as the system takes it. URLs have IPv6 addresses in brackets, so people write them in a file too. */
export function unbracketed(host: string): string {
  return /^\[(.*)\]$/.exec(host)?.[1] ?? host;
}
