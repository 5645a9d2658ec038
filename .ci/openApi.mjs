// Writes docs/openapi.json from the routes of /api/v2; a test keeps it current.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

const script =
  "import('./lib/dialects/v2/index.ts').then(({ openApi }) => process.stdout.write(JSON.stringify(openApi(), undefined, 2)))";
const text = execFileSync('node', ['--import', 'tsx', '--eval', script], { encoding: 'utf8' });
writeFileSync('docs/openapi.json', `${text}\n`);
execFileSync('npx', ['biome', 'format', '--write', 'docs/openapi.json'], { stdio: 'ignore' });
