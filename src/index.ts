/** The public API of the package `backworks`. It exports every type that a public function takes or returns. */

/** Serving. */
export {
  type Backworks,
  type BackworksAddress,
  type BackworksOptions,
  createBackworks,
  releaseLibrary,
  validatePlugin,
} from './backworks.js';
export { type Log, silentLog } from './log.js';

/** Configuration. */
export {
  ConfigError,
  type ConfigProblem,
  loadConfig,
  type LoadedConfig,
  type LoadOptions,
  type Override,
  parseConfig,
  type ParseOptions,
} from './config/load/load.js';
export type { Layer as ConfigLayer } from './config/source/mark.js';
export type { ConfigErrorCode } from './config/source/problems.js';
export type {
  AccessLogConfig,
  AdminConfig,
  AlertEvent,
  AlertsConfig,
  AutoDiscoverConfig,
  BackworksConfig,
  CertificateConfig,
  ClientCertificatesConfig,
  ConfiguredFile,
  CorsConfig,
  ConnectionsConfig,
  EndpointConfig,
  EndpointHook,
  EndpointRuleConfig,
  EndpointTarget,
  CacheConfig,
  CompressionConfig,
  CompressionLevel,
  ContentCoding,
  FailurePolicy,
  FilesTarget,
  HeaderChanges,
  HeaderRuleConfig,
  HookScope,
  Http2Config,
  HttpMethod,
  Isolation,
  JsonObject,
  JsonValue,
  ListenerConfig,
  LoadTime,
  LoggingConfig,
  LogLevel,
  Permissions,
  PlainHttp,
  PluginConfig,
  PluginPolicy,
  RateLimitConfig,
  RateLimitKey,
  ProxyProtocolConfig,
  RedirectConfig,
  RedisConfig,
  RequestBodyUse,
  ResourceLimits,
  ResponseBodyUse,
  RetryCondition,
  RuleConfig,
  SandboxMode,
  ServerConfig,
  StaticResponse,
  SwapPolicy,
  TlsConfig,
  TracingConfig,
  TrustedProxyConfig,
  UnmatchedRequests,
  UserRange,
  WantedBodies,
  Written,
  ValidationConfig,
} from './config/types.js';
export type {
  HealthCheckConfig,
  ProxyConfig,
  ProxyRetryCondition,
  ProxyRetryConfig,
  ProxyTarget,
  ProxyTlsConfig,
  TargetBreakerConfig,
} from './config/proxy-types.js';
export type { BodyUse } from './plugins/body-use.js';

/** Errors. */
export {
  BackworksError,
  type BackworksErrorOptions,
  type CrashFrame,
  type ErrorCode,
  type ErrorKind,
  ERRORS,
  PluginFailure,
  type PluginFailureDetails,
  type PluginOutcome,
  type PluginPhase,
} from './errors.js';

/** Plugins: their metadata and their state. */
export type { CircuitStateName } from './execution/executor.js';
export type { DependentPlugin, PluginNeed, PluginRelations } from './lifecycle/dependencies/relations.js';
export type { PluginState } from './lifecycle/entry/plugin-state.js';
export type {
  KeptRefusal,
  LimitsInForce,
  PluginProcess,
  PluginStatus,
  PostMortem,
  TrialStatus,
  VersionRole,
  VersionStatus,
} from './lifecycle/entry/status.js';
export type { TrialStage } from './lifecycle/entry/trial.js';
export type { QuarantinedLibrary } from './lifecycle/records/quarantine.js';
export type { NativeProcess, ProcessUsage, RefusedPermission } from './native/plugin.js';
export type { CallStats } from './plugins/call-stats.js';
export type { RejectedLibrary } from './plugins/discovery.js';
export type { PipelineHook, PluginCapability, PluginDependency, PluginMetadata } from './plugins/metadata.js';
export type { CheckInput, CheckOutcome, ValidationCheck } from './validation/report.js';
export type { ValidatedAs, ValidationReport, ValidationWish } from './validation/validate.js';
export type { ValidationEvidence } from './validation/evidence.js';
export type { RecordedUse, UsedFile, UsedSocket, UseResult } from './validation/recorded-use.js';
export type { FuzzSettings } from './validation/function-checks.js';
export type { Touched } from './validation/permission-check.js';

/** Changes: reloads, swaps and versions. */
export type { SwapOrigin, SwapOutcome, SwapRecord, VersionName } from './lifecycle/entry/swap-record.js';
export type { KnownVersion, PluginRecord, RefusedVersion } from './lifecycle/records/version-history.js';
export type { FailedChange } from './lifecycle/registry/registry-change.js';
export type { PluginVerdict } from './lifecycle/registry/registry.js';
export type { PluginAction, PluginChange } from './lifecycle/registry/reload.js';
export type { SwapResult } from './lifecycle/swap/swap.js';
export type { ReloadPlan } from './reload/prepared-reload.js';
export type { ReloadReport } from './reload/report.js';
export type { SettingsPlan } from './reload/settings.js';
