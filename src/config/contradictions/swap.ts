import type { CheckedFile } from '../schema/checked-file.js';
import { below, type Pointer } from '../source/pointer.js';
import type { RawPercentage, RawPlugin } from '../schema/raw.js';
import { parsePercentage } from '../source/units.js';

/** A canary that gets every request would not be a trial. */
const CANARY_PERCENT_MAX = 99;

/** Reports swap settings of a plugin that cannot work. */
export function swapContradictions(file: CheckedFile, plugin: Pointer, raw: RawPlugin): void {
  const { watch, canary, probation } = raw.swap;
  const pointer = below(plugin, 'swap');
  checkPercentage(file, below(below(pointer, 'canary'), 'percent'), canary.percent, CANARY_PERCENT_MAX);
  checkPercentage(file, below(below(pointer, 'probation'), 'max_error_rate'), probation.max_error_rate, 100);
  if (watch && raw.isolation === 'in-process') {
    const hint = 'remove it, or set isolation to "process"';
    file.reject(below(pointer, 'watch'), { message: 'an in-process plugin cannot be swapped', hint });
  }
}

function checkPercentage(file: CheckedFile, pointer: Pointer, value: RawPercentage, max: number): void {
  if (parsePercentage(value) <= max) return;
  file.reject(pointer, {
    expected: `a percentage of at most ${max}%`,
    found: file.show(pointer, String(value)),
  });
}
