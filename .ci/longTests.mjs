/**
 * The tests that `npm test` leaves out, so that it ends within four minutes on two cores: those that take long where
 * their engine is present, those that try thousands of inputs, kills or clients, and those that start so many programs
 * that they take 4 to 16 s of processor time each. Paths as regular expressions. `npm run test:all` runs them, too.
 */
export const longTests = [
  'tests/attack/',
  'tests/contract/',
  'tests/crash/',
  'tests/integration/(api-v2-contract|apiDocs|clientDocs|images|manifests|modules|stack|stockClients)\\.',
  'tests/integration/(actions-kill|cli-completion|cli-doctor|cli-files|cli-follow|cli-verbs|crunner-ssh)\\.',
  'tests/integration/(openFiles|purlFiles|purlLiveFolders|webhooks)\\.',
  'tests/integration/(crunner-split|hostile-load|inheritance|kill-reach|lifetime)\\.',
  'tests/integration/(guides|messages|service)\\.',
  'tests/integration/(health|job-rights|purlPeers|readiness|sizes|ssh-jobs|transferHuge|webhooksTls)\\.',
  'tests/integration/container-',
  'tests/page/hundredThousand\\.',
  'tests/unit/lib/(access/tokenStore|actions/manyHits|records/index/texts|transfer/pack/packs)\\.',
];
