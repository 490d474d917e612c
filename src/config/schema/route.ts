/** The syntax of an endpoint's path: `/literal/{parameter}/*`. */

const LITERAL = /^[A-Za-z0-9._~!$&'()+,;=@-][A-Za-z0-9._~!$&'()+,;=:@-]*$/;
const PARAMETER = /^\{[A-Za-z_][A-Za-z0-9_]*\}$/;

/** What is wrong with a path, or undefined. */
export function routeFault(path: string): { expected: string; hint?: string } | undefined {
  if (path === '/') return undefined;
  const parts = path.split('/').slice(1);
  const parameters = parts.filter((part) => PARAMETER.test(part));
  const repeated = parameters.find((part, index) => parameters.indexOf(part) !== index);
  if (repeated !== undefined) return { expected: 'a path that names each parameter once' };
  for (const [index, part] of parts.entries()) {
    if (part === '') return { expected: 'a path without empty segments', hint: 'remove the extra "/"' };
    if (part === '*' && index < parts.length - 1)
      return { expected: 'a path with "*" only as its last segment' };
    if (part !== '*' && !PARAMETER.test(part) && !LITERAL.test(part)) {
      const expected = 'a path of literal segments, {name}, and a final *';
      const express = /^:([A-Za-z_][A-Za-z0-9_]*)$/.exec(part)?.[1];
      return express === undefined ? { expected } : { expected, hint: `write {${express}}` };
    }
  }
  return undefined;
}

/** Equal for two paths that match the same requests. */
export function routeShape(path: string): string {
  return path.replace(/\{[^}]*\}/g, '{}');
}
