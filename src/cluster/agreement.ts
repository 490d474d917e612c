import type { BackworksError } from '../errors.js';

/** Two-phase commit among workers: no party applies the change before every party has said that it can. */
export class Agreement<Party> {
  private readonly undecided: Set<Party>;
  private objection: BackworksError | null = null;
  private what: string | null = null;
  private decide = (): void => undefined;
  private readonly decided = new Promise<void>((resolve) => (this.decide = resolve));

  /** @param otherwise makes the error for a party whose change would have another result than the others' */
  constructor(
    parties: readonly Party[],
    private readonly otherwise: (party: Party) => BackworksError,
  ) {
    this.undecided = new Set(parties);
    if (parties.length === 0) this.decide();
  }

  /**
   * Called by a party that is ready to make the change.
   * @param what the result of the change, equal for all parties
   * @returns resolves when every party is ready or done
   * @throws BackworksError when a party objected or would come to another result; nobody makes the change then
   */
  async ready(party: Party, what: string): Promise<void> {
    this.what ??= what;
    if (what !== this.what) this.objection ??= this.otherwise(party);
    this.leave(party);
    await this.decided;
    if (this.objection !== null) throw this.objection;
  }

  /** Called by a party that does not wait for the others. @param objection why nobody may make the change */
  done(party: Party, objection: BackworksError | null = null): void {
    this.objection ??= objection;
    this.leave(party);
  }

  private leave(party: Party): void {
    this.undecided.delete(party);
    if (this.undecided.size === 0) this.decide();
  }
}
