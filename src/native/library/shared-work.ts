/** Runs work once for all callers that ask for it at the same time. */
export class SharedWork<T> {
  private readonly underWay = new Map<string, Promise<T>>();

  /** @param what names the work; null for work that is not shared */
  async do(what: string | null, work: () => Promise<T>): Promise<T> {
    if (what === null) return work();
    const begun = this.underWay.get(what);
    if (begun !== undefined) return begun;
    const done = work().finally(() => this.underWay.delete(what));
    this.underWay.set(what, done);
    return done;
  }
}
