import { Missing } from '../../build.mjs';

export function buildExtism() {
  throw new Missing('x');
}
