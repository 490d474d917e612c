import { loadEffective } from '../../config/load/load.js';
import { printConfig } from '../../config/show/print.js';
import { originsOf, shownConfig } from '../../config/show/shown.js';
import { exactJson, writtenAt, writtenBelow } from '../../config/source/written.js';
import type { JsonObject } from '../../config/types.js';
import { EXIT } from '../../errors.js';
import type { CommandContext, ExitCode } from '../command/command.js';
import { requestConfig } from '../command/config-file.js';
import { printable } from '../../printable.js';

/** `backworks config print [FILE] [--origin]`: prints the merge of all layers, with defaults. */
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
    const written = writtenBelow(writtenAt(source.marks, ''), '/config');
    const indent = context.out.terminal ? 2 : 0;
    context.out.line(
      exactJson({ file, environment, config, ...origins } as unknown as JsonObject, written, indent),
    );
  } else {
    context.out.write(printable(printConfig(source, { origins: origin })));
  }
  return EXIT.ok;
}
