/** Limits for checking a configuration with the schema of an untrusted library. */

/** Longest schema, as JSON text. */
export const SCHEMA_BYTES_MAX = 64 * 1024;
/** Depth of nested schemas. */
export const SCHEMA_DEPTH_MAX = 32;
/** Number of schemas in total. */
export const SUBSCHEMAS_MAX = 2048;
export const ENUM_ENTRIES_MAX = 1024;
export const PATTERN_CHARACTERS_MAX = 512;

/** Time limit for compiling a schema and checking one configuration, counted from the start of the thread. */
export const CHECK_TIMEOUT_MS = 2000;
/** Heap limit of that thread. */
export const CHECK_HEAP_MIB = 64;
/** Mistakes that are reported for one configuration. */
export const MISTAKES_MAX = 100;
