import { join } from 'node:path';
import { root, run } from '../run.mjs';

/** gyp's names of the systems. */
const SYSTEMS = { linux: 'linux', darwin: 'mac', win32: 'win' };

/** binding.gyp, which is a Python literal. node-gyp needs Python, too. */
function readBinding() {
  const program = 'import ast, json, sys; print(json.dumps(ast.literal_eval(open(sys.argv[1]).read())))';
  return JSON.parse(run('python3', 'python3', ['-c', program, join(root, 'binding.gyp')]));
}

const binding = readBinding();

/**
 * What binding.gyp says about one of its targets on a system: the same sources and compiler flags as in a checkout.
 * @returns the lists of the target with those of the conditions that hold
 */
export function gypTarget(name, { os, cpu }) {
  const target = binding.targets.find((each) => each.target_name === name);
  const values = { OS: SYSTEMS[os], target_arch: cpu };
  const parts = [binding.target_defaults, target, target.configurations?.Release ?? {}];
  for (const [condition, met, otherwise] of target.conditions) {
    const part = holds(condition, values) ? met : otherwise;
    if (part !== undefined) parts.push(part);
  }
  const list = (key) => parts.flatMap((part) => part[key] ?? []);
  return { sources: list('sources'), cflags: list('cflags'), includes: list('include_dirs') };
}

/** Conditions in binding.gyp compare variables with strings, joined by "and". */
function holds(condition, values) {
  return condition.split(' and ').every((comparison) => {
    const [, name, operator, value] = /^(\w+)(==|!=)"(\w+)"$/.exec(comparison) ?? [];
    if (!(name in values))
      throw new Error(`binding.gyp has a condition that is not understood: ${condition}`);
    return (values[name] === value) === (operator === '==');
  });
}
