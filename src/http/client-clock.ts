/** How long a client may send nothing of a body. */
export class ClientClock {
  private readonly timer: NodeJS.Timeout;
  private isStopped = false;
  private hasMoved = false;

  /**
   * @param isOwed whether it is the client's turn: its time does not run while what it sent waits to be taken
   * @param onLate is called once, when the client has sent nothing for `timeoutMs`
   */
  constructor(timeoutMs: number, isOwed: () => boolean, onLate: () => void) {
    this.timer = setTimeout(() => {
      this.hasMoved = false;
      // What has arrived while the server was busy is read first.
      setImmediate(() => {
        if (this.isStopped || this.hasMoved) return;
        if (isOwed()) onLate();
        else this.timer.refresh();
      });
    }, timeoutMs);
  }

  /** Something was sent, or it is the client's turn again. */
  restart(): void {
    if (this.isStopped) return;
    this.hasMoved = true;
    this.timer.refresh();
  }

  stop(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
  }
}
