import { type KeyObject, createPrivateKey, X509Certificate } from 'node:crypto';
import {
  createSecureContext,
  type SecureContext,
  type SecureContextOptions,
  type SecureVersion,
} from 'node:tls';
import type { CertificateConfig } from '../config/types.js';
import { readPem } from './pem-file.js';
import { unusable } from './unusable.js';

/** A certificate of the server, ready for handshakes. */
export interface ServerCertificate {
  readonly options: SecureContextOptions;
  readonly context: SecureContext;
  /** Host names that get this certificate, in lower case: `example.org` or `*.example.org`. */
  readonly hosts: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly config: CertificateConfig;
}

export interface ContextOptions {
  readonly minVersion: SecureVersion;
  /** The authorities whose client certificates are accepted, as PEM. */
  readonly ca: string | undefined;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g;
const PRIVATE_KEY = /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/;
const ENCRYPTED = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m;

/**
 * Reads a certificate and its key, and checks that they belong together.
 * @throws BackworksError BW_SERVER_TLS, which names the file and its place in the configuration
 */
export async function readServerCertificate(
  config: CertificateConfig,
  { minVersion, ca }: ContextOptions,
): Promise<ServerCertificate> {
  const [cert, key] = await Promise.all([readPem(config.certificate), readPem(config.key)]);
  const leaf = checkChain(config, cert);
  const parsedKey = readKey(config, key);
  if (!leaf.checkPrivateKey(parsedKey)) throw mismatch(config, cert, parsedKey);
  const options: SecureContextOptions = { cert, key, minVersion, ca };
  let context: SecureContext;
  try {
    context = createSecureContext(options);
  } catch (error) {
    // Such as a key that is too short for OpenSSL's security level.
    throw unusable(config.certificate, `cannot be used: ${reasonOf(error)}`, 'use a new certificate', error);
  }
  return {
    options,
    context,
    hosts: config.hosts.length > 0 ? config.hosts : dnsNames(leaf),
    notBefore: new Date(leaf.validFrom),
    notAfter: new Date(leaf.validTo),
    config,
  };
}

/**
 * Reads the authorities of client certificates.
 * @returns the PEM text
 * @throws BackworksError BW_SERVER_TLS
 */
export async function readAuthorities(file: CertificateConfig['certificate']): Promise<string> {
  const pem = await readPem(file);
  const found = pem.match(CERTIFICATE) ?? [];
  if (found.length === 0) throw unusable(file, 'has no certificate in PEM form');
  found.forEach((text, index) => parse(text, index, found.length, file));
  return pem;
}

/** @returns the first certificate, which is the server's */
function checkChain({ certificate }: CertificateConfig, pem: string): X509Certificate {
  const found = pem.match(CERTIFICATE) ?? [];
  if (found.length === 0) {
    const hint = PRIVATE_KEY.test(pem)
      ? 'the file has a private key: were certificate and key swapped?'
      : 'a DER file becomes PEM with: openssl x509 -inform der -in FILE';
    throw unusable(certificate, 'has no certificate in PEM form', hint);
  }
  return found.map((text, index) => parse(text, index, found.length, certificate))[0]!;
}

function parse(
  text: string,
  index: number,
  count: number,
  file: CertificateConfig['certificate'],
): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (error) {
    const which = count === 1 ? 'the certificate' : `certificate ${index + 1} of ${count}`;
    throw unusable(file, `${which} is damaged`, undefined, error);
  }
}

function readKey({ key: file }: CertificateConfig, pem: string): KeyObject {
  if (ENCRYPTED.test(pem)) {
    throw unusable(
      file,
      'the private key needs a passphrase',
      'remove it with: openssl pkey -in FILE -out NEW',
    );
  }
  if (!PRIVATE_KEY.test(pem)) throw unusable(file, 'has no private key in PEM form');
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw unusable(file, 'the private key is damaged', undefined, error);
  }
}

function mismatch({ certificate, key }: CertificateConfig, pem: string, parsedKey: KeyObject): Error {
  const place = (pem.match(CERTIFICATE) ?? []).findIndex((text) =>
    new X509Certificate(text).checkPrivateKey(parsedKey),
  );
  const hint =
    place > 0
      ? `it belongs to certificate ${place + 1} of ${certificate.path}: the server's certificate must be the first`
      : undefined;
  return unusable(key, `does not belong to the certificate in ${certificate.path}`, hint);
}

/** The DNS names of a certificate, in lower case; without any, the common name (as old certificates have it). */
function dnsNames({ subject, subjectAltName }: X509Certificate): string[] {
  const names = [...(subjectAltName ?? '').matchAll(/(?:^|, )DNS:([^,"]+)/g)].map(([, name = '']) => name);
  const [, common] = /^CN=(.+)$/m.exec(subject) ?? [];
  return (names.length === 0 && common !== undefined ? [common] : names).map((name) => name.toLowerCase());
}

function reasonOf(error: unknown): string {
  const { reason, message } = error as Error & { reason?: string };
  return reason ?? message;
}
