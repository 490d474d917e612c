import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export const root = fileURLToPath(new URL('..', import.meta.url));

export interface Import {
  /** The specifier as written in the file. */
  readonly specifier: string;
  /** Path of the imported file relative to the root, with .ts; null for a package. */
  readonly file: string | null;
  /** True if the compiler removes the import. */
  readonly typeOnly: boolean;
}

export interface Module {
  /** Path relative to the root, such as 'src/http/app.ts'. */
  readonly file: string;
  readonly imports: readonly Import[];
  /** Members of the global `process` that are used: 'env', 'exit' … */
  readonly processMembers: readonly string[];
}

/** Files below a folder of the repository, as paths relative to the root. */
export function filesUnder(folder: string, ending: RegExp): string[] {
  const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && ending.test(entry.name))
    .map((entry) => posix.relative(root, posix.join(entry.parentPath, entry.name)))
    .sort();
}

/** Functions of a file that exceed a number of lines, as `file:line: name, n lines`. */
export function longFunctions(
  file: string,
  linesMax: number,
  text = readFileSync(join(root, file), 'utf8'),
): string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const lineOf = (position: number): number => source.getLineAndCharacterOfPosition(position).line + 1;
  const long: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) {
      const start = lineOf(node.getStart());
      const lines = lineOf(node.getEnd()) - start + 1;
      const name = node.name?.getText() ?? (ts.isConstructorDeclaration(node) ? 'constructor' : 'anonymous');
      if (lines > linesMax) long.push(`${file}:${start}: ${name}, ${lines} lines`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return long;
}

/** Reads the imports of a module with the compiler's parser. `text` is for tests of this function. */
export function readModule(file: string, text = readFileSync(join(root, file), 'utf8')): Module {
  const imports: Import[] = [];
  const processMembers: string[] = [];
  const add = (specifier: ts.Node | undefined, typeOnly: boolean): void => {
    if (specifier === undefined || !ts.isStringLiteral(specifier)) return;
    imports.push({ specifier: specifier.text, file: resolve(file, specifier.text), typeOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeOnlyImport(node.importClause));
    if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, isTypeOnlyExport(node));
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true);
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0], false);
    const member = processMember(node);
    if (member !== null) processMembers.push(member);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, false));
  return { file, imports, processMembers };
}

function resolve(from: string, specifier: string): string | null {
  if (!specifier.startsWith('.')) return null;
  return posix.normalize(posix.join(dirname(from), specifier)).replace(/\.js$/, '.ts');
}

function isTypeOnlyImport(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const bindings = clause.namedBindings;
  if (clause.name !== undefined || bindings === undefined || !ts.isNamedImports(bindings)) return false;
  return bindings.elements.length > 0 && bindings.elements.every((element) => element.isTypeOnly);
}

function isTypeOnlyExport(node: ts.ExportDeclaration): boolean {
  const clause = node.exportClause;
  if (node.isTypeOnly) return true;
  return (
    clause !== undefined &&
    ts.isNamedExports(clause) &&
    clause.elements.every((element) => element.isTypeOnly)
  );
}

/** 'env' for `process.env`, `process['env']`, `globalThis.process.env` and `const { env } = process`. */
function processMember(node: ts.Node): string | null {
  if (ts.isPropertyAccessExpression(node) && isProcess(node.expression)) return node.name.text;
  if (ts.isElementAccessExpression(node) && isProcess(node.expression)) {
    return ts.isStringLiteral(node.argumentExpression) ? node.argumentExpression.text : '*';
  }
  if (ts.isVariableDeclaration(node) && node.initializer !== undefined && isProcess(node.initializer))
    return '*';
  return null;
}

function isProcess(node: ts.Expression): boolean {
  if (ts.isIdentifier(node)) return node.text === 'process';
  return ts.isPropertyAccessExpression(node) && node.name.text === 'process';
}
