import { Missing } from '../../build.mjs';

export function buildGoPlugin() {
  throw new Missing('x');
}
