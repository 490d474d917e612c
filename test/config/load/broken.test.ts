/** Files with one mistake each, and the exact message about the mistake. */
import { describe, expect, test } from '@jest/globals';
import { CONTRADICTIONS } from '../broken/contradictions.js';
import { SANDBOX } from '../broken/sandbox.js';
import { SCHEMA } from '../broken/schema.js';
import { SYNTAX } from '../broken/syntax.js';
import { UNSUPPORTED } from '../broken/unsupported.js';
import { rejection } from './rejection.js';

describe.each([
  ['syntax', 'BW_CONFIG_SYNTAX', SYNTAX],
  ['schema', 'BW_CONFIG_INVALID', SCHEMA],
  ['not supported yet', 'BW_CONFIG_INVALID', UNSUPPORTED],
  ['sandbox', 'BW_CONFIG_INVALID', SANDBOX],
  ['contradictions', 'BW_CONFIG_INVALID', CONTRADICTIONS],
] as const)('%s', (_name, code, cases) => {
  test.each(cases)('%s', (_, text, message) => {
    const error = rejection(text);
    expect(error.message).toBe(`backworks.yaml:${message}`);
    expect(error.code).toBe(code);
    expect(error.problems).toHaveLength(1);
  });
});
