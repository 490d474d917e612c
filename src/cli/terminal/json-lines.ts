const INDENT = '  ';

/** JSON as indented lines. Numbers keep their digits and objects the order and duplicates of their members. */
export function jsonLines(text: string): string[] {
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/gs) ?? [];
  const lines = [''];
  let depth = 0;
  const add = (more: string): void => void (lines[lines.length - 1] += more);
  const newLine = (): void => void lines.push(INDENT.repeat(depth));
  tokens.forEach((token, index) => {
    const next = tokens[index + 1];
    const isEmpty = (token === '{' && next === '}') || (token === '[' && next === ']');
    if (token === '{' || token === '[') {
      add(token);
      if (isEmpty) return;
      depth += 1;
      newLine();
    } else if (token === '}' || token === ']') {
      const opened = tokens[index - 1];
      if (opened !== '{' && opened !== '[') {
        depth -= 1;
        newLine();
      }
      add(token);
    } else if (token === ',') {
      add(token);
      newLine();
    } else add(token === ':' ? ': ' : token);
  });
  return lines;
}

/** An object of JSON texts, as JSON. */
export function jsonObject(members: Readonly<Record<string, string>>): string {
  const parts = Object.entries(members).map(([name, json]) => `${JSON.stringify(name)}:${json}`);
  return `{${parts.join(',')}}`;
}
