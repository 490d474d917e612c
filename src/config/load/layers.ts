import type { Layer } from '../source/mark.js';
import { isMapping, merge } from '../source/merge.js';
import { nearest } from '../source/nearest.js';
import { type Override, readOverride } from './override.js';
import { below, isWithin, quote, segments } from '../source/pointer.js';
import type { ProblemReport } from '../source/problems.js';
import { type KnownMistakes, validateOverlay } from '../schema/schema.js';
import { Source } from '../source/source.js';
import type { JsonObject } from '../types.js';

const ENVIRONMENTS = '/environments';

export interface LayerSettings {
  /** The environment whose overlay applies, or undefined for none. */
  readonly environment: string | undefined;
  /** Single values. If two set the same key, the later one wins. */
  readonly overrides: readonly Override[];
  /** The environment variables for `${VARIABLES}`. */
  readonly variables: NodeJS.ProcessEnv;
  readonly report: ProblemReport;
}

export interface Layered {
  /** The merge of all layers. Of `environments`, only the names remain. */
  readonly source: Source;
  readonly known: KnownMistakes;
}

/**
 * Applies the overlay and the single values to a file. Each layer is checked as a part of a configuration.
 * Overlays that do not apply are checked as well, except for unset variables.
 */
export function layer(file: Source, settings: LayerSettings): Layered {
  const { report } = settings;
  const known: KnownMistakes = new Set();
  const overlays = overlaysOf(file);
  for (const overlay of overlays.values()) validateOverlay(overlay, report, known);
  const upper = settings.overrides.flatMap(
    (override) => readOverride(override, settings.variables, report) ?? [],
  );
  for (const source of upper) validateOverlay(source, report, known);
  const chosen = chosenOverlay(file, overlays, settings);
  if (chosen !== undefined) upper.unshift(chosen);

  const base = withEmptyOverlays(file);
  if (upper.length > 0) validateOverlay(withoutOverlays(file), report, known);
  return { source: upper.reduce(merge, base), known };
}

function overlaysOf(file: Source): Map<string, Source> {
  const overlays = isMapping(file.value) ? file.value['environments'] : undefined;
  if (!isMapping(overlays)) return new Map();
  return new Map(
    Object.entries(overlays)
      .filter(([, overlay]) => isMapping(overlay))
      .map(([name]) => {
        const origin: Layer = { kind: 'environment', name };
        return [name, file.part(below(ENVIRONMENTS, name), origin)];
      }),
  );
}

function chosenOverlay(
  file: Source,
  overlays: ReadonlyMap<string, Source>,
  { environment, report }: LayerSettings,
): Source | undefined {
  if (environment === undefined) return undefined;
  const given = isMapping(file.value) ? (file.value['environments'] ?? {}) : {};
  // The schema reports an overlay that is not a mapping.
  if (!isMapping(given) || Object.hasOwn(given, environment)) return overlays.get(environment);
  const names = Object.keys(given);
  const near = nearest(environment, names);
  const others = names.length === 0 ? 'the file has none' : `the file has ${names.join(', ')}`;
  report.add('BW_CONFIG_INVALID', ENVIRONMENTS, file.keyPosition(ENVIRONMENTS), {
    message: `no environment is called ${quote(environment)}: ${others}`,
    hint: near === undefined ? undefined : `did you mean ${quote(near)}?`,
  });
  return undefined;
}

/**
 * The schema of the whole file checks the names of the environments. Their contents have been checked
 * already.
 */
function withEmptyOverlays(file: Source): Source {
  if (!isMapping(file.value) || !isMapping(file.value['environments'])) return file;
  const environments = Object.entries(file.value['environments']).map(([name, overlay]) => [
    name,
    isMapping(overlay) ? {} : overlay,
  ]);
  const value = { ...file.value, environments: Object.fromEntries(environments) as JsonObject };
  const kept = [...file.marks].filter(
    ([pointer]) => !isWithin(pointer, ENVIRONMENTS) || segments(pointer).length <= 2,
  );
  return new Source(value, new Map(kept));
}

function withoutOverlays(file: Source): Source {
  if (!isMapping(file.value)) return file;
  const entries = Object.entries(file.value).filter(([key]) => key !== 'environments');
  return new Source(Object.fromEntries(entries), file.marks);
}
