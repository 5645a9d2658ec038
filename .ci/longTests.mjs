/**
 * The tests that `npm test` leaves out, for they take long where their engine is present: paths as regular expressions.
 * `npm run test:all` runs them, too.
 */
export const longTests = [
  'tests/contract/(?!memory)',
  'tests/integration/container-',
  'tests/integration/(images|manifests|stack)\\.',
  'tests/integration/transferHuge\\.',
];
