import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 20;
/** A debugger that stops a process for less than this may never be seen to stop it. */
const ATTACHED_MS = 2000;

/** Whether a debugger has a process. Null where the system does not say, or when the process has ended. */
async function traced(
  pid: number,
): Promise<{ readonly attached: boolean; readonly stopped: boolean } | null> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => null);
  if (status === null) return null;
  const tracer = /^TracerPid:\s*(\d+)/m.exec(status)?.[1] ?? '0';
  return { attached: tracer !== '0', stopped: /^State:\s*[tT]/m.test(status) };
}

/** Whether this system says when a debugger attaches to a process. */
export async function seesDebuggers(): Promise<boolean> {
  return (await traced(process.pid)) !== null;
}

/**
 * Resolves when a debugger has attached to a process and lets it continue, when the process has ended, or when the signal
 * is aborted.
 */
export async function untilContinued(pid: number, signal: AbortSignal): Promise<void> {
  let wasStopped = false;
  let attachedAtMs = Infinity;
  while (!signal.aborted) {
    const now = await traced(pid);
    if (now === null) return;
    if (now.attached) {
      attachedAtMs = Math.min(attachedAtMs, performance.now());
      if (now.stopped) wasStopped = true;
      else if (wasStopped || performance.now() - attachedAtMs > ATTACHED_MS) return;
    }
    await pause(POLL_MS);
  }
}

/** Whether the system lets a debugger attach only to its own children (Yama). */
export async function attachesToChildrenOnly(): Promise<boolean> {
  const scope = await readFile('/proc/sys/kernel/yama/ptrace_scope', 'utf8').catch(() => '0');
  return Number(scope) > 0 && process.getuid?.() !== 0;
}
