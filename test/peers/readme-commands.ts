import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { documentedCommands as commandsOf } from '../fixtures/markdown.js';

export interface DocumentedCommand {
  readonly command: string;
  /** What the document shows below the command. */
  readonly answer: string;
}

/** The commands in the console blocks of a document. */
export function documentedCommands(file: string): DocumentedCommand[] {
  return commandsOf(readFileSync(file, 'utf8')).map(({ command, output }) => ({
    command,
    answer: output.trim(),
  }));
}

/** Runs a documented command against the server at `url` instead of port 8080. @returns its output */
export function runDocumented(command: string, url: string): string {
  const line = command.replaceAll('http://127.0.0.1:8080', url);
  return execFileSync('sh', ['-c', line], { encoding: 'utf8' }).trim();
}
