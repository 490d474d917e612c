import { type CheckedFile, checkSize } from '../schema/checked-file.js';
import { below, type Pointer } from '../source/pointer.js';
import { sandboxOf } from '../schema/plugin-entries.js';
import type { RawPlugin, RawSize } from '../schema/raw.js';
import { formatSize, parseDuration, parseSize } from '../source/units.js';

const MIB = 1024 ** 2;
/** A body may be held in memory as a whole. */
const BODY_BYTES_MAX = 1024 * MIB;
/** The most that one frame of the runner protocol carries. */
const REPLY_BYTES_MAX = 16 * MIB;
/** With less memory, the runner and the C library fail before they reach the plugin. */
const MEMORY_BYTES_MIN = 8 * MIB;
const OPEN_FILES_MIN = 16;

/** Reports a limit of request bodies that is too high. */
export function checkBodyLimit(file: CheckedFile, pointer: Pointer, value: RawSize): void {
  checkSize(file, pointer, value, BODY_BYTES_MAX);
}

/** Reports limits and delays of a plugin that cannot be enforced. */
export function limitContradictions(file: CheckedFile, plugin: Pointer, raw: RawPlugin): void {
  const { limits } = raw;
  const pointer = below(plugin, 'limits');
  checkSize(file, below(pointer, 'reply'), limits.reply, REPLY_BYTES_MAX);
  checkSize(file, below(pointer, 'parsed_reply'), limits.parsed_reply, REPLY_BYTES_MAX);

  const memory = parseSize(limits.memory);
  if (memory > 0 && memory < MEMORY_BYTES_MIN) {
    const at = below(pointer, 'memory');
    const expected = `a size of at least ${formatSize(MEMORY_BYTES_MIN)}`;
    file.reject(at, { expected, found: file.show(at, String(limits.memory)) });
  }
  if (limits.open_files > 0 && limits.open_files < OPEN_FILES_MIN) {
    const at = below(pointer, 'open_files');
    const found = file.isHidden(at) ? file.show(at, '') : String(limits.open_files);
    file.reject(at, { expected: `a number of at least ${OPEN_FILES_MIN}`, found });
  }
  if (limits.concurrency > 1 && raw.isolation === 'in-process') {
    const message = "the calls of an in-process plugin run one at a time on the server's own thread";
    const hint = 'remove it, or set isolation to "process"';
    file.reject(below(pointer, 'concurrency'), { message, hint });
  }
  checkUnlimited(file, pointer, raw);
  checkRestart(file, below(plugin, 'restart'), raw.restart);
}

function checkUnlimited(file: CheckedFile, pointer: Pointer, raw: RawPlugin): void {
  if (sandboxOf(raw) === 'off') return;
  const { memory, open_files, threads, file_size, cpu_time } = raw.limits;
  const limits = {
    memory: parseSize(memory),
    open_files,
    threads,
    file_size: parseSize(file_size),
    cpu_time: parseDuration(cpu_time),
  };
  for (const [key, limit] of Object.entries(limits)) {
    if (limit > 0) continue;
    const hint = 'give it a limit';
    file.reject(below(pointer, key), { message: '0 means unlimited, which needs sandbox: off', hint });
  }
}

function checkRestart(file: CheckedFile, pointer: Pointer, { delay, max_delay }: RawPlugin['restart']): void {
  if (parseDuration(delay) <= parseDuration(max_delay)) return;
  const at = { delay: below(pointer, 'delay'), max: below(pointer, 'max_delay') };
  const shown = { delay: file.show(at.delay, String(delay)), max: file.show(at.max, String(max_delay)) };
  if (file.isGiven(at.max)) {
    file.reject(at.max, { message: `${shown.max} is shorter than restart.delay, ${shown.delay}` });
  } else {
    const message = `${shown.delay} is longer than restart.max_delay, ${shown.max}`;
    file.reject(at.delay, { message, hint: 'raise max_delay as well' });
  }
}
