import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface DocumentedCommand {
  readonly command: string;
  /** What the document shows below the command. */
  readonly answer: string;
}

/** The commands of a document's ```console blocks: a line that begins with "$ ", and its output until the next. */
export function documentedCommands(file: string): DocumentedCommand[] {
  const blocks = readFileSync(file, 'utf8').matchAll(/^```console\n(.*?)^```$/gms);
  return [...blocks].flatMap(([, block = '']) =>
    block
      .split(/^\$ /m)
      .filter((entry) => entry !== '')
      .map((entry) => {
        const [command = '', ...output] = entry.split('\n');
        return { command, answer: output.join('\n').trim() };
      }),
  );
}

/** Runs a documented command against the server at `url` instead of port 8080. @returns its output */
export function runDocumented(command: string, url: string): string {
  const line = command.replaceAll('http://127.0.0.1:8080', url);
  return execFileSync('sh', ['-c', line], { encoding: 'utf8' }).trim();
}
