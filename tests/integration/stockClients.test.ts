import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Child } from '../helpers/child.ts';
import { describeWithEngine } from '../helpers/engine.ts';
import { endServer } from '../helpers/pman.ts';
import { pythonMissing, pythonProgram } from '../helpers/python.ts';
import { makeFolders, startServer, type TestServer } from '../helpers/startServer.ts';

const TOKEN = 'a-token-of-some-length';

/** A job by HTTPie, as a user types it; each answer is one line of JSON but for the output. */
const HTTPIE = `set -eu
api() { http --ignore-stdin --check-status --body --pretty=none -A bearer -a "$TOKEN" "$@"; echo; }
field() { sed -n 's/.*"'"$1"'":"\\([^"]*\\)".*/\\1/p'; }
id=$(api POST "$PMAN/api/v2/jobs" Idempotency-Key:one command='sleep 600' jid=httpie |
  sed 's/^{"id":"\\([^"]*\\).*/\\1/')
api POST "$PMAN/api/v2/jobs/$id/kill" signal=KILL >/dev/null
api GET "$PMAN/api/v2/jobs/$id" wait==30s | field state
api GET "$PMAN/api/v2/events" after==0 id=="$id" type==ended | field type
api GET "$PMAN/api/v2/jobs" jid==httpie state==killed,failed | field jid
api DELETE "$PMAN/api/v2/jobs/$id"
http --ignore-stdin --headers -A bearer -a "$TOKEN" "$PMAN/api/v2/jobs/$id" | head -1
`;

/** A job by a client that a generator has made of the document. */
const GENERATED = `
import os
from httpx import Timeout
from pman_client import AuthenticatedClient
from pman_client.api.default import get_job, get_stdout, kill_job, list_events, list_jobs, remove_job, submit_job
from pman_client.models import JobState, KillOrder, NewJob, NewJobEnv, Problem

client = AuthenticatedClient(base_url=os.environ["PMAN"], token=os.environ["TOKEN"], timeout=Timeout(60))
env = NewJobEnv.from_dict({"WHO": "a generator"})
new = NewJob(command="echo from $WHO", jid="generated", env=env)
job = submit_job.sync(client=client, body=new, idempotency_key="one")
assert submit_job.sync(client=client, body=new, idempotency_key="one").id == job.id
ended = get_job.sync(job.id, client=client, wait=30.0)
print(ended.state.value, ended.exit_code, ended.parts[0].command, ended.ended_at > ended.accepted_at)
print(get_stdout.sync_detailed(job.id, client=client).content)
page = list_jobs.sync(client=client, jid="generated", state=[JobState("succeeded")])
print([one.id == job.id for one in page.jobs], page.next_)
events = list_events.sync(client=client, after=0, id=job.id).events
print([event.type_.value for event in events])
refused = kill_job.sync(job.id, client=client, body=KillOrder(signal="TERM"))
print(isinstance(refused, Problem), refused.code, refused.status)
remove_job.sync_detailed(job.id, client=client)
print(get_job.sync(job.id, client=client).code)
`;

describeWithEngine('a client that knows nothing of pman', pythonMissing, () => {
  let server: TestServer;
  beforeEach(async () => {
    const folders = makeFolders();
    const tokenPath = join(folders.root, 'tokens');
    writeFileSync(tokenPath, `${TOKEN}\n`, { mode: 0o600 });
    server = await startServer({ folders, flags: ['--enableTokenAuth', '--tokenPath', tokenPath] });
  });
  afterEach(() => endServer(server));

  /** Runs a program and gives what it has printed; it has to end well. */
  async function printed(argv: readonly string[], cwd: string): Promise<string> {
    const { PATH = '' } = process.env;
    const own = { PMAN: `http://127.0.0.1:${server.port}`, TOKEN };
    const env = { ...process.env, ...own, PATH: `${join(pythonProgram('http'), '..')}:${PATH}` };
    const child = new Child(argv, { cwd, env });
    const { code } = await child.exited;
    const { stdout, stderr } = child.output;
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout, stderr: expect.any(String) });
    return stdout;
  }

  it('does a whole job: HTTPie', async () => {
    const lines = (await printed(['/bin/sh', '-c', HTTPIE], server.folders.cwd)).split('\n');
    expect(lines.map((line) => line.trim()).filter((line) => line !== '')).toEqual([
      ...['killed', 'ended', 'httpie', 'HTTP/1.1 404 Not Found'],
    ]);
  });

  it('does a whole job: a client made of the OpenAPI document', async () => {
    const { root } = server.folders;
    const answer = await fetch(`http://127.0.0.1:${server.port}/openapi.json`, {
      headers: { Authorization: `Bearer ${TOKEN}` },
    });
    writeFileSync(join(root, 'openapi.json'), await answer.text());
    writeFileSync(join(root, 'config.yaml'), 'post_hooks: []\n');
    const generator = pythonProgram('openapi-python-client');
    const how = ['--path', 'openapi.json', '--config', 'config.yaml', '--output-path', 'made'];
    await printed([generator, 'generate', '--fail-on-warning', ...how], root);
    writeFileSync(join(root, 'made/job.py'), GENERATED);
    const lines = await printed([pythonProgram('python'), 'job.py'], join(root, 'made'));
    expect(lines.trimEnd().split('\n')).toEqual([
      'succeeded 0 echo from $WHO True',
      "b'from a generator\\n'",
      '[True] None',
      "['accepted', 'started', 'part_ended', 'ended']",
      'True conflict 409',
      'not_found',
    ]);
  });
});
