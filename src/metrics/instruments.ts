import { Counter, Gauge, type Registry } from 'prom-client';

/** The registry for the metrics of one server. */
export type MetricsRegistry = Registry;

type Labels = Readonly<Record<string, string>>;

/** Name and help of a metric. `labels` are the names of its labels. */
export interface InstrumentOptions {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

/** A counter that other parts of the server increase. */
export interface CounterInstrument {
  add(labels: Labels, by?: number): void;
}

export function addCounter(
  registry: MetricsRegistry,
  { name, help, labels = [] }: InstrumentOptions,
): CounterInstrument {
  const counter = new Counter({ name, help, labelNames: [...labels], registers: [registry] });
  return { add: (values, by = 1) => counter.inc({ ...values }, by) };
}

/** Calls `set` once for each combination of labels that has a value. */
type Measure = (set: (labels: Labels, value: number) => void) => void;

/** A gauge whose values are measured at each scrape. */
export function addGauge(
  registry: MetricsRegistry,
  { name, help, labels = [] }: InstrumentOptions,
  measure: Measure,
): void {
  new Gauge({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
    collect() {
      this.reset();
      measure((values, value) => this.set({ ...values }, value));
    },
  });
}

/**
 * A counter that is read at each scrape, so that counting costs no more than adding to a number. Values of equal
 * labels are added.
 */
export function addMeasuredCounter(
  registry: MetricsRegistry,
  { name, help, labels = [] }: InstrumentOptions,
  measure: Measure,
): void {
  new Counter({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
    collect() {
      this.reset();
      measure((values, value) => this.inc({ ...values }, value));
    },
  });
}
