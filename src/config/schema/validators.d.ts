/** The published JSON Schema as JavaScript. scripts/compile-schema.mjs writes it at build time. */
import type { ValidateFunction } from 'ajv';

/** Checks a whole configuration whose variables are filled in, and fills in defaults in place. */
export const whole: ValidateFunction;

/** Checks a part that is merged with others, such as an environment: no key is required. */
export const overlay: ValidateFunction;
