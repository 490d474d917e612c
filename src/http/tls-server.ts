import tls, { type TLSSocket } from 'node:tls';
import type { Log } from '../log.js';
import type { Certificates } from '../tls/certificates.js';
import { readClientCertificate } from '../tls/client-certificate.js';
import type { RemoteAddress } from '../pipeline/documents/incoming-request.js';
import { setPeer, socketPeer } from './peer.js';

/**
 * A TLS server that gives connections on once their handshakes are complete.
 * @param protocols the application protocols (ALPN), most wanted first
 * @param clientOf the address of the client
 */
export function createTlsServer(
  certificates: Certificates,
  protocols: readonly string[],
  accept: (socket: TLSSocket) => void,
  clientOf: (socket: TLSSocket) => RemoteAddress | null,
  log: Log,
): tls.Server {
  const { clientCertificates, handshakeTimeoutMs } = certificates.config;
  const server = tls.createServer({
    ...certificates.fallback.options,
    SNICallback: (host, done) => done(null, certificates.contextFor(host)),
    ALPNProtocols: [...protocols],
    handshakeTimeout: handshakeTimeoutMs,
    requestCert: clientCertificates !== null,
    rejectUnauthorized: clientCertificates?.mode === 'require',
    noDelay: true,
  });
  certificates.onReload(() => server.setSecureContext(certificates.fallback.options));
  server.on('tlsClientError', (error, socket) => {
    log.debug({ remote: socketPeer(socket).remote?.address, err: error }, 'a TLS handshake failed');
    socket.destroy();
  });
  server.on('secureConnection', (socket) => {
    // The server would otherwise repeat handshakes whenever a client of TLS 1.2 asks for it.
    socket.disableRenegotiation();
    const certificate = clientCertificates === null ? undefined : socket.getPeerX509Certificate();
    const isRefused = certificate === undefined ? clientCertificates?.mode === 'require' : !socket.authorized;
    if (isRefused) {
      log.debug(
        { remote: socket.remoteAddress },
        `a client certificate was refused: ${String(socket.authorizationError)}`,
      );
      socket.destroy();
      return;
    }
    const tlsJson =
      certificate === undefined
        ? null
        : JSON.stringify({ client_certificate: readClientCertificate(certificate) });
    setPeer(socket, { remote: clientOf(socket), scheme: 'https', tlsJson });
    accept(socket);
  });
  return server;
}
