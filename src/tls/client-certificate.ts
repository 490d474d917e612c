import type { X509Certificate } from 'node:crypto';

/** What a client's certificate says. The server has verified that an accepted authority signed it. */
export interface ClientCertificate {
  /** RFC 4514, such as `CN=alice,O=Example`. */
  readonly subject: string;
  readonly issuer: string;
  /** Alternative names with their type, such as `DNS:alice.example` and `URI:spiffe://example/alice`. */
  readonly san: readonly string[];
  /** Hexadecimal, upper case. */
  readonly serial: string;
  /** SHA-256 of the certificate: 64 hexadecimal digits, lower case. */
  readonly fingerprint: string;
  /** ISO 8601. */
  readonly not_before: string;
  readonly not_after: string;
}

export function readClientCertificate(certificate: X509Certificate): ClientCertificate {
  return {
    subject: distinguishedName(certificate.subject),
    issuer: distinguishedName(certificate.issuer),
    san: alternativeNames(certificate.subjectAltName ?? ''),
    serial: certificate.serialNumber,
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    not_before: new Date(certificate.validFrom).toISOString(),
    not_after: new Date(certificate.validTo).toISOString(),
  };
}

/** Node has one line for each part, most general first, with special characters escaped. RFC 4514 has it reversed. */
function distinguishedName(lines: string | undefined): string {
  return (lines ?? '').split('\n').reverse().join(',');
}

/** Node quotes a name as a JSON string if it could be taken for several names. */
const NAME = /([A-Za-z][\w ]*):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/y;

/** @internal exported for its test */
export function alternativeNames(text: string): string[] {
  const names: string[] = [];
  for (NAME.lastIndex = 0; NAME.lastIndex < text.length;) {
    const [, type, value = ''] = NAME.exec(text) ?? [];
    // What follows is in a form that this reader does not know: better no name than a wrong one.
    if (type === undefined) return [];
    names.push(`${type}:${value.startsWith('"') ? (JSON.parse(value) as string) : value}`);
  }
  return names;
}
