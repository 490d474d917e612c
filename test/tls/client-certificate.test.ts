import { expect, test } from '@jest/globals';
import { alternativeNames } from '../../dist/tls/client-certificate.js';

test('alternative names are read with their types', () => {
  expect(alternativeNames('DNS:a.example, IP Address:127.0.0.1, URI:spiffe://x/y')).toEqual([
    'DNS:a.example',
    'IP Address:127.0.0.1',
    'URI:spiffe://x/y',
  ]);
  expect(alternativeNames('')).toEqual([]);
});

test('a name that contains a comma is one name', () => {
  expect(alternativeNames('DNS:"a.example, DNS:b.example", email:c@example')).toEqual([
    'DNS:a.example, DNS:b.example',
    'email:c@example',
  ]);
});

test('a text in an unknown form gives no names', () => {
  expect(alternativeNames('DNS:a.example, nonsense')).toEqual([]);
});
