import { availableParallelism } from 'node:os';

export default {
  testEnvironment: 'node',
  // A busy machine takes its time: what hangs is noticed all the same.
  testTimeout: 120_000,
  // Most tests wait for a process or for time to pass: two workers share a core.
  maxWorkers: 2 * availableParallelism(),
  testSequencer: '<rootDir>/.ci/longestFirst.mjs',
  reporters: ['default', '<rootDir>/.ci/skipReporter.mjs'],
  setupFilesAfterEnv: ['<rootDir>/tests/helpers/leftovers.ts'],
  testMatch: ['<rootDir>/tests/**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
        module: { type: 'es6' },
        sourceMaps: true,
      },
    ],
  },
  coverageProvider: 'v8',
  coverageReporters: ['text', 'lcov'],
  collectCoverageFrom: ['{bin,lib,crunner,swarm,openshift}/**/*.ts'],
};
