import { Readable } from 'node:stream';
import { TreeNode } from '../../tree/node.ts';
import { OUTPUT_TYPE, rangedOutput } from '../rangedOutput.ts';
import { defineRoute } from './apiRoute.ts';
import { requireJob } from './jobRoutes.ts';
import { followQuerySchema, idSchema } from './schemas.ts';

/** One of the two outputs of a job. */
function outputRoute(stream: 'stdout' | 'stderr') {
  return defineRoute({
    method: 'GET',
    path: `/api/v2/jobs/{id}/${stream}`,
    operation: stream === 'stdout' ? 'getStdout' : 'getStderr',
    summary: `Gives what a job has written to ${stream}, byte for byte; with \`follow=1\`, and what it will write.`,
    params: idSchema,
    query: followQuerySchema,
    requestHeaders: { Range: 'A range of bytes, such as `bytes=100-`.' },
    answers: {
      200: { description: 'All of it.', types: [OUTPUT_TYPE] },
      206: { description: 'The range that was asked for.', types: [OUTPUT_TYPE] },
      404: { description: 'There is no such job.' },
      416: { description: 'There is no such range, or not yet.' },
    },
    async handle({ params, query, header, signal }, context) {
      const { jobs, database } = context;
      const root = requireJob(context, params.id);
      const record = database.tree(root) ?? new TreeNode();
      const asked = { stream, part: query.part };
      if (query.follow === '1' || query.follow === 'true') {
        const output = jobs.follow(root, record, asked, signal);
        return {
          status: 200,
          headers: [['Content-Type', OUTPUT_TYPE]],
          stream: Readable.from(output, { objectMode: false }),
        };
      }
      const { status, headers, body } = rangedOutput(
        await jobs.output(root, record, asked),
        header,
      );
      return { status, headers, stream: body };
    },
  });
}

export const getStdout = outputRoute('stdout');
export const getStderr = outputRoute('stderr');
