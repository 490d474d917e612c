import { interruption } from './interruption.mjs';

/**
 * Prints to stderr what is being measured and the remaining time. The estimate comes from the scenarios at
 * first, and from completed turns as soon as there are some.
 */
export class Progress {
  /** @param scenarios in their order, each `{ name, takes }`, seconds */
  constructor(scenarios) {
    this.scenarios = scenarios;
  }

  /** @returns a listener for the turns of alternate(). It throws once the run is interrupted. */
  of(name) {
    const at = this.scenarios.findIndex((scenario) => scenario.name === name);
    const later = this.scenarios.slice(at + 1).reduce((sum, { takes }) => sum + takes, 0);
    let began = null;
    return ({ done, all, text }) => {
      interruption.throwIfAborted();
      began ??= performance.now();
      const perTurn = done === 0 ? this.scenarios[at].takes / all : (performance.now() - began) / 1000 / done;
      const left = perTurn * (all - done) + later;
      process.stderr.write(`bench: ${name}: ${text} (${duration(left)} left)\n`);
    };
  }
}

export function duration(seconds) {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
