const NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** Whether a text is a valid name of a plugin or an endpoint. */
export const isName = (text: string): boolean => NAME.test(text);

/** A name derived from a path or another text that is not taken yet. */
export function nameFrom(text: string, taken: Set<string>): string {
  const words = text.match(/[A-Za-z0-9_]+/g) ?? ['root'];
  const base = words.join('-').slice(0, 60);
  let name = base;
  for (let next = 2; taken.has(name) || name === 'auto_discover'; next += 1) name = `${base}-${next}`;
  taken.add(name);
  return name;
}
