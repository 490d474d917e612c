import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { cgroupDelegation } from '../../dist/native/cgroup.js';
import { ownCgroup } from '../../dist/native/cgroup-path.js';
import { compilePlugin } from '../fixtures/compile.js';
import { SupervisedPlugin } from './supervised-plugin.js';

const MIB = 1024 ** 2;
const open: SupervisedPlugin[] = [];
afterEach(() => Promise.all(open.splice(0).map((plugin) => plugin.close())));

/** One line of mountinfo, as proc(5) has it. */
const mount = (root: string, point: string, kind: string): string =>
  `41 31 0:38 ${root} ${point} rw,nosuid shared:9 - ${kind} ${kind} rw,nsdelegate`;

describe('the cgroup of this process', () => {
  const unified = mount('/', '/sys/fs/cgroup', 'cgroup2');
  const hybrid = [
    mount('/', '/sys/fs/cgroup', 'tmpfs'),
    mount('/', '/sys/fs/cgroup/memory', 'cgroup'),
    mount('/', '/sys/fs/cgroup/unified', 'cgroup2'),
  ].join('\n');

  test.each([
    [
      'a service',
      '0::/system.slice/backworks.service\n',
      unified,
      '/sys/fs/cgroup/system.slice/backworks.service',
    ],
    ['a container with a namespace', '0::/\n', unified, '/sys/fs/cgroup'],
    ['both versions', '4:memory:/a\n1:cpu:/\n0::/b\n', hybrid, '/sys/fs/cgroup/unified/b'],
    ['a part of the tree', '0::/docker/1/x\n', mount('/docker/1', '/cg', 'cgroup2'), '/cg/x'],
    ['another part of the tree', '0::/docker/12\n', mount('/docker/1', '/cg', 'cgroup2'), null],
    ['outside of the namespace', '0::/../other\n', unified, null],
    ['version 1 alone', '4:memory:/a\n', mount('/', '/sys/fs/cgroup/memory', 'cgroup'), null],
    ['nothing mounted', '0::/a\n', '', null],
  ])('%s', (_, cgroup, mountinfo, expected) => {
    expect(ownCgroup(cgroup, mountinfo)).toBe(expected);
  });

  test('is below its mount, whatever the names', () => {
    const name = fc
      .string({ minLength: 1 })
      .filter((text) => !/[/\n\r\0]/.test(text) && !/^\.\.?$/.test(text));
    const escaped = (text: string): string =>
      text.replace(/[ \t\n\\]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`);
    fc.assert(
      fc.property(fc.array(name), name, (path, point) => {
        const cgroup = `0::/${path.join('/')}\n`;
        const found = ownCgroup(cgroup, mount('/', `/${escaped(point)}`, 'cgroup2'));
        expect(found).toBe(['', point, ...path].join('/'));
      }),
    );
  });

  test('any text is read without an error', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (cgroup, mountinfo) => {
        const found = ownCgroup(`0::/${cgroup}`, mountinfo);
        expect(found === null || found.startsWith('/')).toBe(true);
      }),
    );
  });
});

describe('a process', () => {
  const delegation = cgroupDelegation();
  const delegated = 'directory' in delegation;

  test('says which cgroup keeps its memory, or why none does', async () => {
    const plugin = await SupervisedPlugin.open();
    open.push(plugin);
    expect(await plugin.call('/ok')).toMatchObject({ error: null });
    const state = plugin.sandbox()?.states.cgroup;
    if (!delegated) expect(state).toBe(`none: ${delegation.missing}`);
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
