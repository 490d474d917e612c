/** `${NAME}`, `${NAME:-default}` and the escape `$${` in the texts of a configuration. */

export interface Substitution {
  /** The text with every variable replaced. */
  readonly text: string;
  /** What stands for the content in messages, which must not show it. */
  readonly origin: string;
  /** The text is one variable and nothing else. */
  readonly whole: boolean;
  /** The variables that were set; the others had a default. */
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

const REFERENCE = /\$\$\{|\$\{[^}]*\}?/g;
const WELL_FORMED = /^\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}$/;

/** As in a shell, a default also replaces a variable that is set to the empty text. */
export function substitute(template: string, environment: NodeJS.ProcessEnv): SubstitutionResult {
  if (!template.includes('${')) return { kind: 'unchanged' };
  const faults: SubstitutionFault[] = [];
  const origins: string[] = [];
  const names: string[] = [];
  let whole = false;
  const text = template.replace(REFERENCE, (reference: string) => {
    if (reference === '$${') return '${';
    const [, name, fallback] = WELL_FORMED.exec(reference) ?? [];
    if (name === undefined) {
      faults.push({ kind: 'malformed', reference });
      return '';
    }
    whole = reference === template;
    // Not environment.constructor and the like.
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
    if (fallback !== undefined && (value === undefined || value === '')) {
      origins.push(`the default of \${${name}}`);
      return fallback;
    }
    if (value === undefined) {
      faults.push({ kind: 'missing', name });
      return '';
    }
    origins.push(`the value of \${${name}}`);
    names.push(name);
    return value;
  });
  if (faults.length > 0) return { kind: 'faulty', faults };
  if (origins.length === 0) return { kind: 'escaped', text };
  const origin = origins.length === 1 && whole ? (origins[0] ?? '') : `a text with ${origins.join(' and ')}`;
  return { kind: 'substituted', substitution: { text, origin, whole, names } };
}

/** What a text would be as plain YAML, where writing it back gives the same text: 0123 stays a text. */
export function retype(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  const number = Number(text);
  return Number.isFinite(number) && String(number) === text ? number : text;
}
