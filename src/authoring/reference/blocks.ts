/** A part of a line: plain text, or code. */
export type Inline = string | { readonly code: string };

/** A part of a page. Texts are plain: whoever writes the page escapes them. */
export type Block =
  | { readonly kind: 'heading'; readonly level: 1 | 2; readonly text: string }
  | { readonly kind: 'paragraph'; readonly text: readonly Inline[] }
  | { readonly kind: 'list'; readonly items: readonly (readonly Inline[])[] }
  | {
      readonly kind: 'table';
      readonly head: readonly string[];
      readonly rows: readonly (readonly (readonly Inline[])[])[];
    }
  | { readonly kind: 'code'; readonly language: 'yaml' | 'json'; readonly text: string };

export const code = (text: string): Inline => ({ code: text });
