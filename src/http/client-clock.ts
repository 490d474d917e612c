/** How long a client may send nothing of a body. */
export class ClientClock {
  private readonly timer: NodeJS.Timeout;
  private isStopped = false;
  private hasMoved = false;

  /**
   * @param isClientsTurn false while bytes of the client wait to be read: its time does not run then
   * @param onLate called once, when the client has sent nothing for `timeoutMs`
   */
  constructor(timeoutMs: number, isClientsTurn: () => boolean, onLate: () => void) {
    this.timer = setTimeout(() => {
      this.hasMoved = false;
      // Bytes that arrived while the server was busy are read first.
      setImmediate(() => {
        if (this.isStopped || this.hasMoved) return;
        if (isClientsTurn()) onLate();
        else this.timer.refresh();
      });
    }, timeoutMs);
  }

  /** Call when the client has sent something, or when it is the client's turn again. */
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
