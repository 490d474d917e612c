/**
 * Converts a listen address to an address that clients can connect to: "every interface" is not a
 * destination.
 */
export function connectable(url: string): string {
  return url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
}

/** The URL of a host and port; IPv6 addresses are put in brackets. */
export function httpUrl(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
