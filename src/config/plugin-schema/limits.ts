/** What the schema of a library nobody vouches for may cost. */

/** Longest schema, as JSON text. */
export const SCHEMA_BYTES_MAX = 64 * 1024;
/** Schemas within schemas. */
export const SCHEMA_DEPTH_MAX = 32;
/** Schemas in all. */
export const SUBSCHEMAS_MAX = 2048;
export const ENUM_ENTRIES_MAX = 1024;
export const PATTERN_CHARACTERS_MAX = 512;

/** Longest time of compiling a schema and checking one configuration, counted from when the thread is up. */
export const CHECK_TIMEOUT_MS = 2000;
/** Memory of the thread that does it. */
export const CHECK_HEAP_MIB = 64;
/** Mistakes that are reported of one configuration. */
export const MISTAKES_MAX = 100;
