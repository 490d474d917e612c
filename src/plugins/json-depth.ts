/** Nesting limit of bodies and patches. Parsers in plugins are recursive and have a smaller stack than the server. */
export { JSON_DEPTH_MAX } from '../native/protocol/protocol.js';
