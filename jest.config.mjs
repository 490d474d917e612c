/** Tests run on what the compiler wrote, so the code that ships is the code that is tested. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/dist-test'],
  testMatch: ['**/*.test.js'],
  // Slow: npm run test:hostile, as two users, npm run test:workers and npm run test:sdk.
  testPathIgnorePatterns: [
    '/node_modules/',
    '<rootDir>/dist-test/hostile/',
    '<rootDir>/dist-test/cluster/worker-',
    '<rootDir>/dist-test/native-sdk/',
  ],
  transform: {},
  injectGlobals: false,
  workerIdleMemoryLimit: '512MB',
  // Tests wait for processes they started most of the time; jest would leave a core idle.
  maxWorkers: '100%',
  testTimeout: 30_000,
};
