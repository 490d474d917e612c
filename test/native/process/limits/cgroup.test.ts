import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import koffi from 'koffi';
import { cgroupDelegation } from '../../../../dist/native/process/limits/cgroup.js';
import { delegationAt } from '../../../../dist/native/process/limits/cgroup-delegation.js';
import { ownCgroup } from '../../../../dist/native/process/limits/cgroup-path.js';
import { compilePlugin } from '../../../fixtures/compile.js';
import { SupervisedPlugin } from '../../pool/supervised-plugin.js';

const MIB = 1024 ** 2;
const open: SupervisedPlugin[] = [];
afterEach(() => Promise.all(open.splice(0).map((plugin) => plugin.close())));

/** One line of mountinfo, as in proc(5). */
const mount = (root: string, point: string, kind: string): string =>
  `41 31 0:38 ${root} ${point} rw,nosuid shared:9 - ${kind} ${kind} rw,nsdelegate`;

describe('the cgroup of this process', () => {
  const unified = mount('/', '/sys/fs/cgroup', 'cgroup2');
  const hybrid = [
    mount('/', '/sys/fs/cgroup', 'tmpfs'),
    mount('/', '/sys/fs/cgroup/memory', 'cgroup'),
    mount('/', '/sys/fs/cgroup/unified', 'cgroup2'),
  ].join('\n');

  const fs = '/sys/fs/cgroup';
  test.each([
    ['a service', '/system.slice/b.service', unified, `${fs}/system.slice/b.service`, null],
    [
      'a leaf of a service',
      '/a.slice/b.service/main',
      unified,
      `${fs}/a.slice/b.service/main`,
      `${fs}/a.slice/b.service`,
    ],
    [
      'a unit of the user',
      '/user@1.service/app.slice/x.scope',
      unified,
      `${fs}/user@1.service/app.slice/x.scope`,
      null,
    ],
    ['a container with a namespace', '/', unified, fs, null],
    ['a leaf in a container', '/init', unified, `${fs}/init`, fs],
    ['a part of the tree', '/docker/1/x', mount('/docker/1', '/cg', 'cgroup2'), '/cg/x', '/cg'],
  ])('%s', (_, path, mountinfo, directory, parent) => {
    expect(ownCgroup(`0::${path}\n`, mountinfo)).toEqual({ directory, parent });
  });

  test('is found when both versions of cgroups are mounted', () => {
    expect(ownCgroup('4:memory:/a\n1:cpu:/\n0::/b\n', hybrid)?.directory).toBe(`${fs}/unified/b`);
  });

  test.each([
    ['another part of the tree', '0::/docker/12\n', mount('/docker/1', '/cg', 'cgroup2')],
    ['outside of the namespace', '0::/../other\n', unified],
    ['version 1 alone', '4:memory:/a\n', mount('/', '/sys/fs/cgroup/memory', 'cgroup')],
    ['nothing mounted', '0::/a\n', ''],
  ])('is unknown: %s', (_, cgroup, mountinfo) => {
    expect(ownCgroup(cgroup, mountinfo)).toBeNull();
  });

  test('is below its mount, whatever the names are', () => {
    const name = fc
      .string({ minLength: 1 })
      .filter((text) => !/[/\n\r\0]/.test(text) && !/^\.\.?$/.test(text));
    const escaped = (text: string): string =>
      text.replace(/[ \t\n\\]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`);
    fc.assert(
      fc.property(fc.array(name), name, (path, point) => {
        const cgroup = `0::/${path.join('/')}\n`;
        const found = ownCgroup(cgroup, mount('/', `/${escaped(point)}`, 'cgroup2'));
        expect(found?.directory).toBe(['', point, ...path].join('/'));
      }),
    );
  });

  test('is read from any text without an error', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (cgroup, mountinfo) => {
        const found = ownCgroup(`0::/${cgroup}`, mountinfo);
        expect(found === null || found.directory.startsWith('/')).toBe(true);
      }),
    );
  });
});

describe('groups of a server are created', () => {
  const directory = mkdtempSync(join(tmpdir(), 'backworks-cgroup-'));
  afterAll(() => rmSync(directory, { recursive: true }));

  /** A group with a leaf below it, as files; root uses only groups with a delegation mark. */
  function tree(options: { marked?: 'top' | 'leaf'; procs?: string } = {}): { top: string; leaf: string } {
    const top = mkdtempSync(join(directory, 'tree-'));
    const leaf = join(top, 'leaf');
    mkdirSync(leaf);
    for (const group of [top, leaf]) {
      writeFileSync(join(group, 'cgroup.controllers'), 'cpu memory pids\n');
      writeFileSync(join(group, 'cgroup.subtree_control'), 'cpu\n');
      writeFileSync(join(group, 'cgroup.procs'), options.procs ?? `${process.pid}\n`);
    }
    const { marked = 'top' } = options;
    setxattr(marked === 'top' ? top : leaf, 'user.delegate', '1', 1, 0);
    return { top, leaf };
  }
  const setxattr = koffi.load(null).func('setxattr', 'int', ['str', 'str', 'str', 'size_t', 'int']);
  // Not every file system for temporary files supports these attributes.
  const canMark = setxattr(directory, 'user.backworks', '1', 1, 0) === 0;
  const really = canMark ? test : test.skip;
  const contents = (group: string, file: string): string => readFileSync(join(group, file), 'utf8');

  really(
    'beside its leaf, when the server runs in a leaf of a delegated group, and the server stays there',
    () => {
      const { top, leaf } = tree({ procs: '1\n2\n' });
      expect(delegationAt({ directory: leaf, parent: top })).toEqual({ directory: top });
      expect(contents(top, 'cgroup.subtree_control')).toBe('+memory +pids');
      expect(readdirSync(top).sort()).toEqual([
        'cgroup.controllers',
        'cgroup.procs',
        'cgroup.subtree_control',
        'leaf',
      ]);
      expect(readdirSync(leaf)).toHaveLength(3);
    },
  );

  really('below its own group, when that group is delegated, and the server moves to a leaf', () => {
    const { top, leaf } = tree({ marked: 'leaf' });
    expect(delegationAt({ directory: leaf, parent: top })).toEqual({ directory: leaf });
    expect(contents(join(leaf, 'backworks-server'), 'cgroup.procs')).toBe(String(process.pid));
    expect(contents(leaf, 'cgroup.subtree_control')).toBe('+memory +pids');
    expect(contents(top, 'cgroup.subtree_control')).toBe('cpu\n');
  });

  really('nowhere when its group contains other processes', () => {
    const { leaf } = tree({ marked: 'leaf', procs: `1\n${process.pid}\n` });
    expect(delegationAt({ directory: leaf, parent: null })).toEqual({
      missing: `${leaf} is shared with other processes`,
    });
  });

  really('nowhere without the memory controller', () => {
    const { top, leaf } = tree();
    writeFileSync(join(top, 'cgroup.controllers'), 'cpu pids\n');
    expect(delegationAt({ directory: leaf, parent: top })).toEqual({
      missing: `${top} has no memory controller`,
    });
  });

  really('after groups of ended servers are removed, and other groups stay', () => {
    const { top, leaf } = tree();
    const gone = spawnSync('true').pid;
    for (const pid of [gone, process.pid]) mkdirSync(join(top, `backworks-runner-${pid}-1`));
    mkdirSync(join(top, 'backworks-runner-of-mine'));
    delegationAt({ directory: leaf, parent: top });
    expect(readdirSync(top).filter((name) => name.startsWith('backworks'))).toEqual(
      [`backworks-runner-${process.pid}-1`, 'backworks-runner-of-mine'].sort(),
    );
  });
});

describe('a process', () => {
  const delegation = cgroupDelegation();
  const delegated = 'directory' in delegation;

  test('reports which cgroup limits its memory, or why none does', async () => {
    const plugin = await SupervisedPlugin.open();
    open.push(plugin);
    expect(await plugin.call('/ok')).toMatchObject({ error: null });
    const state = plugin.sandbox()?.states.cgroup;
    if ('missing' in delegation) expect(state).toBe(`none: ${delegation.missing}`);
    else {
      expect(state).toBe(`memory.max ${(256 + 16) * MIB}`);
      expect(readFileSync(`/proc/${plugin.worker()}/cgroup`, 'utf8')).toContain('/backworks-runner-');
    }
  });

  const really = delegated ? test : test.skip;
  const reason = delegated ? '' : ` (skipped: ${delegation.missing})`;
  really(`is ended by the kernel when its page tables pass its limit${reason}`, async () => {
    const plugin = await SupervisedPlugin.open({
      memoryBytes: 64 * MIB,
      options: { libraryPath: compilePlugin('page_tables') },
    });
    open.push(plugin);
    const { error } = await plugin.call('/tables');
    expect(error).toMatchObject({ code: 'BW_PLUGIN_MEMORY', outcome: 'oom_suspected' });
    expect(await plugin.call('/ok')).toMatchObject({ error: null });
  });
});
