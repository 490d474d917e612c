import { availableParallelism } from 'node:os';

/** Tests run on what the compiler wrote, so the code that ships is the code that is tested. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/dist-test'],
  testMatch: ['**/*.test.js'],
  // Slow: npm run test:slow, npm run test:hostile, as two users, npm run test:workers, npm run test:sdk, npm run test:peers
  // and npm run test:package.
  testPathIgnorePatterns: [
    '/node_modules/',
    '[.]slow[.]test[.]js$',
    '<rootDir>/dist-test/hostile/',
    '<rootDir>/dist-test/cluster/worker-',
    '<rootDir>/dist-test/native-sdk/',
    '<rootDir>/dist-test/peers/',
    '<rootDir>/dist-test/package/',
  ],
  transform: {},
  injectGlobals: false,
  workerIdleMemoryLimit: '512MB',
  // Most of the time, tests wait for processes that they started: one test file more than cores keeps the cores busy.
  maxWorkers: availableParallelism() + 1,
  testTimeout: 30_000,
};
