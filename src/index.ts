/** The public entrance of the package `backworks`. */
export {
  type Backworks,
  type BackworksAddress,
  type BackworksOptions,
  createBackworks,
  releaseLibrary,
  validatePlugin,
} from './backworks.js';
export {
  ConfigError,
  type ConfigProblem,
  loadConfig,
  type LoadedConfig,
  type LoadOptions,
  type Override,
  parseConfig,
} from './config/load/load.js';
export type { BackworksConfig } from './config/types.js';
export { BackworksError, type ErrorCode, ERRORS, PluginFailure, type PluginPhase } from './errors.js';
export { type Log, silentLog } from './log.js';
export type { QuarantinedLibrary } from './lifecycle/records/quarantine.js';
export type { FailedChange } from './lifecycle/registry/registry-change.js';
export type { PluginAction, PluginChange } from './lifecycle/registry/reload.js';
export type { ReloadReport } from './reload/report.js';
export type { PluginStatus, PostMortem } from './lifecycle/entry/status.js';
export type { PluginState } from './lifecycle/entry/plugin-state.js';
export type { RejectedLibrary } from './plugins/discovery.js';
export type { CheckOutcome, ValidationCheck, ValidationReport } from './plugins/validate.js';
