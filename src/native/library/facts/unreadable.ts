import { BackworksError, type ErrorCode } from '../../../errors.js';

/** Thrown when a file cannot be read as a library. The message continues a sentence that begins with the path. */
export class UnreadableLibrary extends Error {
  constructor(
    message: string,
    readonly code: ErrorCode = 'BW_LIBRARY_TRUNCATED',
    readonly hint = 'build it or copy it again',
  ) {
    super(message);
    this.name = 'UnreadableLibrary';
  }

  at(path: string): BackworksError {
    return new BackworksError(this.code, `${path} ${this.message}`, { hint: this.hint });
  }
}

export function damaged(what: string): UnreadableLibrary {
  return new UnreadableLibrary(`is damaged or incomplete: ${what}`);
}
