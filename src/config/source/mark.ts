import type { Finding, Place } from './problems.js';

/** The sources of values, from the weakest to the strongest. */
export type Layer =
  | { readonly kind: 'file' }
  /** An overlay in the file. */
  | { readonly kind: 'environment'; readonly name: string }
  /** An environment variable that sets single values. */
  | { readonly kind: 'variable'; readonly name: string }
  /** A command line flag that sets a single value. */
  | { readonly kind: 'flag'; readonly name: string };

/** What is known about one value. */
export interface Mark {
  readonly key: Place | null;
  readonly value: Place;
  readonly layer: Layer;
  /** Set when the content came from the environment. Messages show this description and not the content. */
  readonly origin?: string;
  /** The text as written, if it contains variables. */
  readonly template?: string;
  /** The variables whose values were filled in. */
  readonly variables?: readonly string[];
  /** The value of a variable in its other type: text instead of number or boolean, or the reverse. */
  readonly alternative?: string | number | boolean;
  /** A number as JSON text, when JSON.stringify() would write other digits. */
  readonly number?: string;
  /** The keys of a mapping in the order of the file, when JavaScript would order them differently. */
  readonly keys?: readonly string[];
  /** Set when the content could not be determined. Lists the unset variables, if they are the cause. */
  readonly missing?: readonly Finding[];
}
