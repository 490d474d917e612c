import { loadEffective } from '../config/load/load.js';
import { printConfig } from '../config/show/print.js';
import { originsOf, shownConfig } from '../config/show/shown.js';
import { EXIT } from '../errors.js';
import type { CommandContext, ExitCode } from './command.js';
import { requestConfig } from './config-file.js';
import { printJson } from './print.js';
import { printable } from '../printable.js';

/** `backworks config print [FILE] [--origin]`: what all layers together give, defaults included. */
export async function configPrint(
  context: CommandContext,
  named: string | undefined,
  { origin = false }: { readonly origin?: boolean },
): Promise<ExitCode> {
  const request = await requestConfig(context, named);
  const { source, environment, file } = await loadEffective(request.file, request.options);
  if (context.json) {
    const config = shownConfig(source);
    const origins = origin ? { origins: originsOf(source) } : undefined;
    printJson(context.out, { file, environment, config, ...origins });
  } else {
    context.out.write(printable(printConfig(source, { origins: origin })));
  }
  return EXIT.ok;
}
