import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** native-sdk/include, for a compiler's -I. */
export const INCLUDE = fileURLToPath(new URL('../../../native-sdk/include', import.meta.url));

const header = readFileSync(`${INCLUDE}/backworks_plugin.h`, 'utf8');

/** A member of a struct, as the header declares it. */
export interface Member {
  readonly name: string;
  /** The comment before it, without comment markers. */
  readonly comment: string;
  /** Result and parameters of a function pointer; null for plain data. */
  readonly signature: { readonly result: string; readonly parameters: readonly string[] } | null;
}

export interface ExportedFunction {
  readonly name: string;
  readonly comment: string;
}

/** Every struct of the header, with its members in order. */
export function headerStructs(): Map<string, Member[]> {
  const structs = new Map<string, Member[]>();
  for (const [, name = '', body = ''] of header.matchAll(/^typedef struct (\w+) \{\n(.*?)^\} \1;/gms)) {
    structs.set(name, members(body));
  }
  return structs;
}

/** Every function the header tells a plugin to export. */
export function exportedFunctions(): ExportedFunction[] {
  const declarations = /\/\*\n((?: \*[^\n]*\n)*?) \*\/\nBACKWORKS_EXPORT [^;]*?(\w+)\(void\);/g;
  return [...header.matchAll(declarations)].map(([, comment = '', name = '']) => ({ name, comment }));
}

/** How many declarations have BACKWORKS_EXPORT. */
export function exportCount(): number {
  return header.match(/^BACKWORKS_EXPORT /gm)?.length ?? 0;
}

function members(body: string): Member[] {
  const found: Member[] = [];
  for (const [, comment = '', declaration = ''] of body.matchAll(/(?:\/\*(.*?)\*\/\s*)?([\w][^;]*);/gs)) {
    const pointer = /^(.*?)\(\*(\w+)\)\((.*)\)$/s.exec(declaration);
    const [, result = '', name = '', parameters = ''] = pointer ?? [];
    found.push({
      name: pointer ? name : (/\w+$/.exec(declaration)?.[0] ?? ''),
      comment,
      signature: pointer ? { result: kind(result), parameters: parameterKinds(parameters) } : null,
    });
  }
  return found;
}

function parameterKinds(parameters: string): string[] {
  return parameters.trim() === 'void' ? [] : parameters.split(',').map(kind);
}

/** The kind of a value in a call: 'pointer', the name of a number type, or 'void'. */
function kind(type: string): string {
  return type.includes('*') ? 'pointer' : (type.trim().split(/\s+/)[0] ?? '');
}
