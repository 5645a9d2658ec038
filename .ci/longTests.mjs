/**
 * The tests that `npm test` leaves out, so that it ends within four minutes on two cores: those that take long where
 * their engine is present, and those that try thousands of inputs, kills or clients. Paths as regular expressions.
 * `npm run test:all` runs them, too.
 */
export const longTests = [
  'tests/attack/',
  'tests/contract/(?!memory)',
  'tests/crash/',
  'tests/integration/(api-v2-contract|apiDocs|clientDocs|images|manifests|modules|stack|stockClients)\\.',
  'tests/integration/(crunner-split|hostile-load|inheritance|kill-reach|lifetime)\\.',
  'tests/integration/(guides|messages|service)\\.',
  'tests/integration/(health|job-rights|purlPeers|readiness|sizes|ssh-jobs|transferHuge|webhooksTls)\\.',
  'tests/integration/container-',
  'tests/page/hundredThousand\\.',
];
