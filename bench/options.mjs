import { parseArgs } from 'node:util';

/** @param scenarios names, in their order */
export function usage(scenarios) {
  return `Usage: npm run bench -- [--only NAME]... [--quick] [--json] [--redraw]

  --only NAME   one scenario, may be repeated:
                ${scenarios.slice(0, 6).join(', ')},
                ${scenarios.slice(6).join(', ')}
  --quick       fewer and shorter rounds, installs nothing, writes no files:
                less than five minutes for everything, instead of about 20
  --json        the results as JSON on stdout instead of tables
  --redraw      measures nothing: draws charts and docs/performance.md again from
                bench/results`;
}

/** An invalid argument. */
export class UsageError extends Error {}

/** @throws UsageError that names the invalid argument */
export function readOptions(argv, scenarios) {
  const values = parse(argv);
  for (const name of values.only) {
    if (!scenarios.includes(name)) {
      throw new UsageError(`no scenario "${name}", only ${scenarios.join(', ')}`);
    }
  }
  const wanted = (name) => values.only.length === 0 || values.only.includes(name);
  return { ...values, only: scenarios.filter(wanted) };
}

function parse(args) {
  const flag = { type: 'boolean', default: false };
  const options = {
    only: { type: 'string', multiple: true, default: [] },
    quick: flag,
    json: flag,
    redraw: flag,
    help: flag,
  };
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new UsageError(error.message);
  }
}
