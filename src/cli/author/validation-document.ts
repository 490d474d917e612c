import type { ValidationEvidence } from '../../validation/evidence.js';
import type { ValidationCheck } from '../../validation/report.js';
import type { ValidationReport } from '../../validation/validate.js';

/** A plugin of the output of `plugin validate --json`; schema/validation-report.v1.json describes it. */
export function reportDocument({ path, ok, started, checks, metadata, evidence }: ValidationReport): object {
  return {
    path,
    ok,
    started,
    checks: checks.map(checkDocument),
    metadata: metadata && {
      name: metadata.name,
      version: metadata.version,
      description: metadata.description,
      hooks: [...metadata.hooks],
    },
    evidence: evidenceDocument(evidence),
  };
}

function checkDocument({ input, durationMs, ...check }: ValidationCheck): object {
  const { name, outcome, detail, hint, stderr, backtrace } = check;
  return {
    name,
    outcome,
    detail,
    hint,
    stderr,
    backtrace,
    input: input && { function: input.function, document: input.document, alone: input.alone },
    duration_ms: Math.round(durationMs * 1000) / 1000,
  };
}

function evidenceDocument(evidence: ValidationEvidence): object {
  const { limits, leakKibPer1000Calls, systemCalls, ...rest } = evidence;
  return {
    ...rest,
    limits: {
      sandbox: limits.sandbox,
      memory_bytes: limits.memoryBytes,
      open_files: limits.openFiles,
      threads: limits.threads,
      file_size_bytes: limits.fileSizeBytes,
      call_ms: limits.callMs,
      initialize_ms: limits.initializeMs,
      shutdown_ms: limits.shutdownMs,
    },
    leak_kib_per_1000_calls: leakKibPer1000Calls,
    system_calls: systemCalls,
  };
}
