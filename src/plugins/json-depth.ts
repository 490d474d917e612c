import { JSON_DEPTH_MAX } from '../native/protocol/protocol.js';

/** Nesting limit of bodies and patches. Parsers in plugins are recursive and have a smaller stack than the server. */
export { JSON_DEPTH_MAX };
/** Nesting limit of documents and answers: a body may be a member of `response`, which is a member itself. */
export const DOCUMENT_DEPTH_MAX = JSON_DEPTH_MAX + 3;
