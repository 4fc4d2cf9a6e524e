import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['test/build-before-tests.ts', 'test/support/shared-postgres.ts'],
    pool: 'forks',
    // Most of the long tests wait for processes, sockets and clocks: more of them at once than there are processors.
    maxWorkers: 4,
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
