import { defineConfig } from 'vitest/config';

const speed = 'test/speed.test.ts';
const build = 'test/build-before-tests.ts';

export default defineConfig({
  test: {
    pool: 'forks',
    // Most of the long tests wait for processes, sockets and clocks: more of them at once than there are processors.
    maxWorkers: 4,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    env: { POLYLOGUE_BUILT_THREADS: '1' },
    expect: { poll: { timeout: 10_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'tests',
          include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: [speed],
          globalSetup: [build, 'test/support/shared-postgres.ts'],
          sequence: { groupOrder: 1 },
        },
      },
      // Compares what tokens cost: when all else is over, so that it has the machine for itself.
      { extends: true, test: { name: 'speed', include: [speed], globalSetup: [build], sequence: { groupOrder: 2 } } },
    ],
  },
});
