/** The test kit for plugin authors: the package export `backworks/testing`. For node:test, jest and others. */
export {
  requestDocument,
  responseDocument,
  type TestBody,
  type TestRequest,
  type TestRequestDocument,
  type TestResponseDocument,
  type TestResponseWish,
} from './documents.js';
export {
  type Expected,
  expectChanged,
  expectFailure,
  expectResponse,
  expectUnchanged,
} from './expectations.js';
export type { FakeAnswer, FakeFetch, FakeResponse, TestFetch } from './fake-responses.js';
export type { FakeOperation, TestOperation } from './recorded.js';
export { type StartOptions, startPlugin } from './start-plugin.js';
export type {
  RequestOutcome,
  ResponseOutcome,
  TestKeyValues,
  TestPlugin,
  TestResponse,
} from './test-plugin.js';
export type { RecordedLine as TestLogLine } from '../authoring/plugin-recorder.js';
export type { Refusal } from '../native/plugin.js';
export type { PluginHealth } from '../plugins/plugin.js';
