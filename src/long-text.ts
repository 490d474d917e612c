/**
 * A text with a long middle part that is kept as bytes, so that sending the text to another process needs no decoding,
 * concatenation and encoding.
 */
export class LongText {
  private text: string | null = null;

  /** @param bytes well-formed UTF-8 without NUL characters; must not change afterwards */
  constructor(
    readonly head: string,
    readonly bytes: Buffer,
    readonly tail: string,
  ) {}

  /** Like the length of a string: at least a third of the text's bytes in UTF-8, and at most all of them. */
  get length(): number {
    return this.head.length + this.bytes.length + this.tail.length;
  }

  toString(): string {
    return (this.text ??= this.head + this.bytes.toString('utf8') + this.tail);
  }
}

export type Text = string | LongText;
