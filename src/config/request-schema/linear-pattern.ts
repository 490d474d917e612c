import { RE2JS } from 're2js';

/**
 * A pattern of a schema. JavaScript's own engine can need years for a text of a hundred characters and a pattern such
 * as `(a+)+$`, and requests are such texts. RE2 takes time in proportion to the length of the text. In return it has no
 * look-around and no references to groups.
 *
 * @throws Error when the pattern has no equivalent
 */
function linearPattern(pattern: string): { test(text: string): boolean; toString(): string } {
  const compiled = RE2JS.compile(pattern);
  return { test: (text) => compiled.matcher(text).find(), toString: () => pattern };
}

/** Ajv names the engine in the code that it generates for a file, which is not done here. */
export const linearPatterns = Object.assign(linearPattern, { code: 'linearPattern' });
