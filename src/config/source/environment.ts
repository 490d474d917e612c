/**
 * Substitutes `${NAME}`, `${NAME:-default}` and the escape `$${` in the texts of a configuration. A default
 * may contain variables, as in `${NAME:-${OTHER:-default}}`.
 */

export interface Substitution {
  /** The text with every variable replaced. */
  readonly text: string;
  /** Describes the origin of the content in messages, which must not show the content. */
  readonly origin: string;
  /** The text consists of one variable and nothing else. */
  readonly whole: boolean;
  /** The variables whose values are in the text. Variables that used their default are not listed. */
  readonly names: readonly string[];
}

export type SubstitutionFault =
  | { readonly kind: 'missing'; readonly name: string }
  | { readonly kind: 'malformed'; readonly reference: string };

export type SubstitutionResult =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'escaped'; readonly text: string }
  | { readonly kind: 'substituted'; readonly substitution: Substitution }
  | { readonly kind: 'faulty'; readonly faults: readonly SubstitutionFault[] };

const OPENING = '${';
const ESCAPE = '$${';
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
/** Depth of variables within defaults of variables. */
const DEPTH_MAX = 16;

/** As in a shell, the default also replaces a variable that is set to the empty text. */
export function substitute(template: string, environment: NodeJS.ProcessEnv): SubstitutionResult {
  if (!template.includes(OPENING)) return { kind: 'unchanged' };
  return new Substituter(template, environment).result();
}

class Substituter {
  private position = 0;
  private depth = 0;
  private readonly faults: SubstitutionFault[] = [];
  private readonly origins: string[] = [];
  private readonly names: string[] = [];
  /** Where the first variable of the template ends. Tells whether the variable is the whole text. */
  private firstEnd: number | null = null;

  constructor(
    private readonly template: string,
    private readonly environment: NodeJS.ProcessEnv,
  ) {}

  result(): SubstitutionResult {
    const { template, faults, origins, names } = this;
    const text = this.text(true, false);
    if (faults.length > 0) return { kind: 'faulty', faults };
    if (origins.length === 0) return { kind: 'escaped', text };
    const whole = this.firstEnd === template.length && isReference(template);
    const [only = ''] = origins;
    const origin = origins.length === 1 && whole ? only : `a text with ${origins.join(' and ')}`;
    return { kind: 'substituted', substitution: { text, origin, whole, names } };
  }

  /**
   * The text up to the end of the template or of the current default.
   * @param counts false when the text is not used, so that a missing variable in it is no fault
   */
  private text(counts: boolean, isDefault: boolean): string {
    let text = '';
    while (this.position < this.template.length) {
      if (isDefault && this.template[this.position] === '}') return text;
      if (this.template.startsWith(ESCAPE, this.position)) {
        text += OPENING;
        this.position += ESCAPE.length;
      } else if (this.template.startsWith(OPENING, this.position)) {
        text += this.reference(counts);
      } else {
        text += this.template[this.position];
        this.position += 1;
      }
    }
    return text;
  }

  /** Reads the variable at the current position. */
  private reference(counts: boolean): string {
    const start = this.position;
    this.depth += 1;
    const value = this.depth > DEPTH_MAX ? null : this.wellFormed(start, counts);
    this.depth -= 1;
    if (this.depth === 0) this.firstEnd ??= this.position;
    if (value !== null) return value;
    // Skip the rest of a malformed reference: variables inside it would be reported a second time.
    const close = this.template.indexOf('}', start);
    this.position = close === -1 ? this.template.length : Math.max(this.position, close + 1);
    this.malformed(this.template.slice(start, this.position));
    return '';
  }

  /** @returns null when the reference is malformed */
  private wellFormed(start: number, counts: boolean): string | null {
    NAME.lastIndex = start + OPENING.length;
    const name = NAME.exec(this.template)?.[0];
    if (name === undefined) return null;
    this.position = NAME.lastIndex;
    const hasDefault = this.template.startsWith(':-', this.position);
    // Own properties only, so that names like `constructor` are not found.
    const value = Object.hasOwn(this.environment, name) ? this.environment[name] : undefined;
    const isDefaulted = hasDefault && (value === undefined || value === '');
    const defaultText = hasDefault ? this.defaultText(name, counts && isDefaulted) : '';
    if (this.template[this.position] !== '}') return null;
    this.position += 1;
    if (isDefaulted) return defaultText;
    if (value === undefined) {
      if (counts) this.faults.push({ kind: 'missing', name });
      return '';
    }
    if (counts) {
      this.origins.push(`the value of \${${name}}`);
      this.names.push(name);
    }
    return value;
  }

  private defaultText(name: string, counts: boolean): string {
    this.position += 2;
    const before = this.origins.length;
    const text = this.text(counts, true);
    // A default that consists of variables is described by those variables.
    if (counts && this.origins.length === before) this.origins.push(`the default of \${${name}}`);
    return text;
  }

  private malformed(reference: string): void {
    const last = this.faults.at(-1);
    // The variable inside this malformed reference was reported already.
    if (last?.kind === 'malformed' && reference.includes(last.reference)) this.faults.pop();
    this.faults.push({ kind: 'malformed', reference });
  }
}

function isReference(template: string): boolean {
  return template.startsWith(OPENING);
}

/** Reads a text as plain YAML would, if writing the value back gives the same text: 0123 stays a text. */
export function retype(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  const number = Number(text);
  return Number.isFinite(number) && String(number) === text ? number : text;
}
