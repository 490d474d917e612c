import type { Finding, Place } from './problems.js';

/** What gives values, from the weakest to the strongest. */
export type Layer =
  | { readonly kind: 'file' }
  /** An overlay of the file. */
  | { readonly kind: 'environment'; readonly name: string }
  /** Single values in a variable of that name. */
  | { readonly kind: 'variable'; readonly name: string }
  /** A single value of the command line. */
  | { readonly kind: 'flag'; readonly name: string };

/** What is known of one value. */
export interface Mark {
  readonly key: Place | null;
  readonly value: Place;
  readonly layer: Layer;
  /** Set when the content came from the environment and must not be shown. */
  readonly origin?: string;
  /** The text as it was written, where variables were or could not be filled in. */
  readonly template?: string;
  /** The variables that were filled in. */
  readonly variables?: readonly string[];
  /** The other reading of a variable, as text or as number or boolean. */
  readonly alternative?: string | number | boolean;
  /** A number as JSON, where JSON.stringify() writes other digits. */
  readonly number?: string;
  /** The keys of a mapping in the order of the file, where JavaScript has another. */
  readonly keys?: readonly string[];
  /** Set when the content could not be determined: the variables that are not set, if it is for them. */
  readonly missing?: readonly Finding[];
}
