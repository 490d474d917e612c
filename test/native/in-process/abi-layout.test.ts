import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import koffi from 'koffi';
import * as abi from '../../../dist/native/in-process/abi.js';
import { exportCount, exportedFunctions, headerStructs, INCLUDE, type Member } from './abi-header.js';

interface KoffiType {
  readonly name: string;
  readonly size: number;
  readonly proto?: {
    readonly arguments: readonly { readonly type: KoffiType }[];
    readonly result: KoffiType;
  };
  readonly members?: Readonly<Record<string, { readonly type: KoffiType; readonly offset: number }>>;
}

const structs = headerStructs();
const declared = {
  PluginInfo: abi.PluginInfo,
  PluginVTable: abi.PluginVTable,
  BackworksHost: abi.BackworksHost,
  BackworksExtensions: abi.BackworksExtensions,
};
const describeType = (type: Parameters<typeof koffi.type>[0]): KoffiType =>
  koffi.type(type) as unknown as KoffiType;

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'backworks-abi-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Sizes and offsets by the C compiler: `Struct`, `Struct.member` and macros → numbers. */
function askCompiler(): Map<string, number[]> {
  const lines = [...structs].flatMap(([name, members]) => [
    `printf("${name} %zu\\n", sizeof(${name}));`,
    ...members.map(
      (member) =>
        `printf("${name}.${member.name} %zu %zu\\n", offsetof(${name}, ${member.name}), ` +
        `sizeof(((${name} *)0)->${member.name}));`,
    ),
  ]);
  const source = join(directory, 'probe.c');
  const program = join(directory, 'probe');
  writeFileSync(
    source,
    `#include <stdio.h>\n#include "backworks_plugin.h"\nint main(void) {\n${lines.join('\n')}\n` +
      'printf("ABI_VERSION %u\\nTHREAD_SAFE %u\\n", BACKWORKS_ABI_VERSION, (unsigned)BACKWORKS_THREAD_SAFE);\n' +
      'return 0;\n}\n',
  );
  execFileSync('cc', ['-std=c11', '-Wall', '-Werror', `-I${INCLUDE}`, '-o', program, source]);
  const output = execFileSync(program, { encoding: 'utf8' }).trim().split('\n');
  return new Map(
    output.map((line) => {
      const [name = '', ...numbers] = line.split(' ');
      return [name, numbers.map(Number)];
    }),
  );
}

describe('the compiler and koffi agree', () => {
  let compiled: Map<string, number[]>;
  beforeAll(() => {
    compiled = askCompiler();
  });

  test('on the list of structs', () => {
    expect([...structs.keys()].sort()).toEqual(Object.keys(declared).sort());
  });

  test.each(Object.entries(declared))('on the layout of %s', (name, type) => {
    const { size, members = {} } = describeType(type);
    expect([size]).toEqual(compiled.get(name));
    expect(Object.keys(members)).toEqual(structs.get(name)?.map((member) => member.name));
    const layout = Object.entries(members).map(([member, at]) => [member, [at.offset, at.type.size]]);
    expect(layout).toEqual(layout.map(([member]) => [member, compiled.get(`${name}.${String(member)}`)]));
  });

  test.each(Object.entries(declared))('on the functions of %s', (name, type) => {
    const { members = {} } = describeType(type);
    for (const { name: member, signature } of structs.get(name) ?? []) {
      expect([member, koffiSignature(members[member]?.type)]).toEqual([member, signature]);
    }
  });

  test('on the version and the flags', () => {
    expect(compiled.get('ABI_VERSION')).toEqual([abi.ABI_VERSION]);
    expect(compiled.get('THREAD_SAFE')).toEqual([Number(abi.THREAD_SAFE)]);
  });

  function koffiSignature(type: KoffiType | undefined): Member['signature'] {
    if (type?.proto === undefined) return null;
    const kind = ({ name }: KoffiType): string => (name.endsWith('*') ? 'pointer' : name);
    return {
      result: kind(type.proto.result),
      parameters: type.proto.arguments.map((each) => kind(each.type)),
    };
  }
});

describe('the header', () => {
  test.each([
    ['C99', 'cc', '-std=c99', 'c'],
    ['C11', 'cc', '-std=c11', 'c'],
    ['C++17', 'c++', '-std=c++17', 'c++'],
  ])('compiles without a warning as %s', (_, compiler, standard, language) => {
    const source = join(directory, `header.${language === 'c' ? 'c' : 'cpp'}`);
    // Twice, to test the include guard.
    writeFileSync(source, '#include "backworks_plugin.h"\n#include "backworks_plugin.h"\n');
    const flags = ['-Wall', '-Wextra', '-pedantic', '-Werror', '-fsyntax-only', `-I${INCLUDE}`];
    execFileSync(compiler, [standard, ...flags, source], { stdio: 'pipe' });
  });

  const documented = [
    ...[...structs].flatMap(([struct, members]) =>
      members
        .filter((member) => member.signature !== null)
        .map(({ name, comment }) => [`${struct}.${name}`, comment] as const),
    ),
    ...exportedFunctions().map(({ name, comment }) => [`${name}()`, comment] as const),
  ];

  test('has 21 function pointers and 3 exported functions', () => {
    expect(documented).toHaveLength(24);
    expect(exportCount()).toBe(3);
  });

  test.each(documented)('%s states requirement, result, owner, thread and version', (_, comment) => {
    for (const tag of ['Required', 'Returns', 'Owner', 'Thread', 'Since']) {
      expect(comment).toMatch(new RegExp(`^ *\\* ${tag}: \\S`, 'm'));
    }
  });
});

test('native-sdk/go has the same header: a Go module contains all of its files', () => {
  const copy = join(INCLUDE, '../go/backworks_plugin.h');
  expect(readFileSync(copy, 'utf8')).toBe(readFileSync(join(INCLUDE, 'backworks_plugin.h'), 'utf8'));
});
