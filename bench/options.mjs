import { parseArgs } from 'node:util';

export const USAGE = `Usage: npm run bench -- [--only NAME]... [--quick] [--json]

  --only NAME   one scenario (start, call, resilience, http, rate, chain, body,
                plugins, connections); may be repeated
  --quick       shorter rounds, installs nothing, writes no files: some minutes
  --json        the results as JSON on stdout instead of tables`;

/** @throws TypeError naming the argument that cannot be used */
export function readOptions(argv, scenarios) {
  const { values } = parseArgs({
    args: argv,
    options: {
      only: { type: 'string', multiple: true, default: [] },
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  for (const name of values.only) {
    if (!scenarios.includes(name)) {
      throw new TypeError(`no scenario "${name}", only ${scenarios.join(', ')}`);
    }
  }
  return { ...values, only: values.only.length > 0 ? values.only : scenarios };
}
