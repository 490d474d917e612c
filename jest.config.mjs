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
  testTimeout: 30_000,
};
