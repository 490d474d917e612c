import { schemaText } from '../../config/schema/published-schema.js';
import { EXIT } from '../../errors.js';
import type { CommandContext, ExitCode } from '../command/command.js';

/** `backworks config schema`: prints the JSON Schema of the configuration, for editors and other programs. */
export async function configSchema({ out }: CommandContext): Promise<ExitCode> {
  out.write(schemaText());
  return EXIT.ok;
}
