/**
 * A text with a long part that is at hand as bytes: on its way to another process it is not decoded,
 * put together and encoded again.
 */
export class LongText {
  private text: string | null = null;

  /** @param bytes well-formed UTF-8 without NUL characters; they must not change any more */
  constructor(
    readonly head: string,
    readonly bytes: Buffer,
    readonly tail: string,
  ) {}

  /** As of a string: no more than its bytes in UTF-8, and no less than a third of them. */
  get length(): number {
    return this.head.length + this.bytes.length + this.tail.length;
  }

  toString(): string {
    return (this.text ??= this.head + this.bytes.toString('utf8') + this.tail);
  }
}

export type Text = string | LongText;
