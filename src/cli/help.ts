import type { Command, HelpConfiguration } from 'commander';

/** The program's own help lists every command there is, by its whole name. */
export const PROGRAM_HELP: HelpConfiguration = {
  showGlobalOptions: true,
  visibleCommands: leaves,
  subcommandTerm: (command) => nameOf(command).join(' '),
};

function leaves(command: Command): Command[] {
  return command.commands.flatMap((each) => (each.commands.length === 0 ? [each] : leaves(each)));
}

/** Without the program's. */
function nameOf(command: Command): string[] {
  return command.parent === null ? [] : [...nameOf(command.parent), command.name()];
}
