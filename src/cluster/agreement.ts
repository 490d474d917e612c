import type { BackworksError } from '../errors.js';

/** Lets several parties make one change together: nobody applies it before all have said that they can. */
export class Agreement<Party> {
  private readonly undecided: Set<Party>;
  private objection: BackworksError | null = null;
  private what: string | null = null;
  private decide = (): void => undefined;
  private readonly decided = new Promise<void>((resolve) => (this.decide = resolve));

  /** @param otherwise says that a party would come to something else than those before it */
  constructor(
    parties: readonly Party[],
    private readonly otherwise: (party: Party) => BackworksError,
  ) {
    this.undecided = new Set(parties);
    if (parties.length === 0) this.decide();
  }

  /**
   * A party could make the change.
   * @param what it leads to
   * @returns resolves when all could, or need not
   * @throws BackworksError why one could not, or that it would come to something else
   */
  async ready(party: Party, what: string): Promise<void> {
    this.what ??= what;
    if (what !== this.what) this.objection ??= this.otherwise(party);
    this.leave(party);
    await this.decided;
    if (this.objection !== null) throw this.objection;
  }

  /** A party has nothing to wait for. @param objection why nobody is to make the change */
  done(party: Party, objection: BackworksError | null = null): void {
    this.objection ??= objection;
    this.leave(party);
  }

  private leave(party: Party): void {
    this.undecided.delete(party);
    if (this.undecided.size === 0) this.decide();
  }
}
