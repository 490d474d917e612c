/** Work that is done once for all who ask for the same at the same time. */
export class SharedWork<T> {
  private readonly underWay = new Map<string, Promise<T>>();

  /** @param what names the work; null for work that is nobody else's */
  async do(what: string | null, work: () => Promise<T>): Promise<T> {
    if (what === null) return work();
    const begun = this.underWay.get(what);
    if (begun !== undefined) return begun;
    const done = work().finally(() => this.underWay.delete(what));
    this.underWay.set(what, done);
    return done;
  }
}
