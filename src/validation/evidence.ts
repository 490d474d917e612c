import type { SandboxMode } from '../config/types.js';
import { hostVersion } from '../plugins/host-version.js';
import type { ResolvedPolicy } from '../plugins/plugin-entry.js';
import type { FuzzSettings } from './function-checks.js';
import type { Leak } from './leak-check.js';
import type { Touched } from './permission-check.js';
import type { RecordedUse } from './recorded-use.js';
import { type CheckOutcome, isFinding, type ValidationCheck } from './report.js';

/** Leaks are told in steps of this factor, because two measurements never agree to the byte. */
const LEAK_FACTOR = 4;

/**
 * What a validation found, without times, process ids and texts: the same library, version, platform, limits and seed
 * give the same evidence.
 */
export interface ValidationEvidence {
  readonly library: {
    /** SHA-256 of the file, in hexadecimal; null when it cannot be read. */
    readonly sha256: string | null;
    readonly name: string | null;
    readonly version: string | null;
  };
  readonly tool: { readonly name: 'backworks'; readonly version: string };
  /** Such as "linux-x64". */
  readonly platform: string;
  readonly limits: {
    readonly sandbox: SandboxMode;
    readonly memoryBytes: number;
    readonly openFiles: number;
    readonly threads: number;
    readonly fileSizeBytes: number;
    readonly callMs: number;
    readonly initializeMs: number;
    readonly shutdownMs: number;
  };
  /** "quick": only ordinary input. */
  readonly scope: 'full' | 'quick';
  readonly fuzz: FuzzSettings;
  /** "valid", "invalid", or "unchecked" when the plugin did not start. */
  readonly verdict: 'valid' | 'invalid' | 'unchecked';
  /** Checks with the outcome "warning", "failed", "crashed" or "timeout". */
  readonly findings: number;
  readonly checks: readonly { readonly name: string; readonly outcome: CheckOutcome }[];
  /** At least so many KiB leak in 1,000 calls, a power of four; 0 without a leak. */
  readonly leakKibPer1000Calls: number;
  /** What the sandbox refused. */
  readonly touched: readonly Touched[];
  /** What it asked the system for after it was loaded; null when this was not recorded. */
  readonly systemCalls: RecordedUse | null;
}

export interface EvidenceParts {
  readonly quick: boolean;
  readonly sha256: string | null;
  readonly metadata: { readonly name: string; readonly version: string } | null;
  readonly policy: ResolvedPolicy;
  readonly fuzz: FuzzSettings;
  readonly started: boolean;
  readonly ok: boolean;
  readonly checks: readonly ValidationCheck[];
  readonly leaks: readonly Leak[];
  readonly touched: readonly Touched[];
  readonly use: RecordedUse | null;
}

export function evidenceOf(parts: EvidenceParts): ValidationEvidence {
  const { sha256, metadata, policy, fuzz, checks, leaks, touched, use } = parts;
  const { limits, timeouts, sandbox } = policy;
  return {
    library: { sha256, name: metadata?.name ?? null, version: metadata?.version ?? null },
    tool: { name: 'backworks', version: hostVersion() },
    platform: `${process.platform}-${process.arch}`,
    limits: {
      sandbox,
      memoryBytes: limits.memoryBytes,
      openFiles: limits.openFiles,
      threads: limits.threads,
      fileSizeBytes: limits.fileSizeBytes,
      callMs: timeouts.callMs,
      initializeMs: timeouts.initializeMs,
      shutdownMs: timeouts.shutdownMs,
    },
    scope: parts.quick ? 'quick' : 'full',
    fuzz,
    verdict: verdictOf(parts),
    findings: checks.filter(({ outcome }) => isFinding(outcome)).length,
    checks: checks.map(({ name, outcome }) => ({ name, outcome })),
    leakKibPer1000Calls: leakStep(Math.max(0, ...leaks.map(({ bytesPer1000Calls }) => bytesPer1000Calls))),
    touched,
    systemCalls: use,
  };
}

function verdictOf({ ok, started, checks }: EvidenceParts): ValidationEvidence['verdict'] {
  if (ok) return 'valid';
  const failed = checks.some(({ outcome }) => outcome !== 'warning' && isFinding(outcome));
  return !started && !failed ? 'unchecked' : 'invalid';
}

function leakStep(bytes: number): number {
  if (bytes === 0) return 0;
  const kib = Math.max(1, bytes / 1024);
  return LEAK_FACTOR ** Math.floor(Math.log(kib) / Math.log(LEAK_FACTOR));
}
