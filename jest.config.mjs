/** Tests run on what the compiler wrote, so the code that ships is the code that is tested. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/dist-test'],
  testMatch: ['**/*.test.js'],
  // Slow, and run as two users: npm run test:hostile.
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/dist-test/hostile/'],
  transform: {},
  injectGlobals: false,
  workerIdleMemoryLimit: '512MB',
  // Tests wait for processes they started most of the time; jest would leave a core idle.
  maxWorkers: '100%',
  testTimeout: 30_000,
};
