import { z } from 'zod';
import { PmanError } from '../../errors.ts';
import { TreeNode } from '../../tree/node.ts';
import { rangedOutput } from '../rangedOutput.ts';
import { type ApiContext, defineRoute } from './apiRoute.ts';
import { fileListSchema } from './fileListSchema.ts';
import { type JobFiles, listFiles, noFile, openFile } from './jobFiles.ts';
import { requireJob } from './jobRoutes.ts';
import { idSchema } from './schemaParts.ts';

const FILE_TYPE = 'application/octet-stream';

const NOT_ENDED = { description: 'The job has not ended.' };
const NOT_THERE = { description: 'There is no such job, or nothing of it to be had.' };

export const listJobFiles = defineRoute({
  method: 'GET',
  path: '/api/v2/jobs/{id}/files',
  operation: 'listFiles',
  summary: 'Lists the files of its working folder that fit the patterns `files` of the job.',
  params: idSchema,
  query: z.strictObject({
    after: z.string().min(1).optional().meta({ description: 'Only those behind this path.' }),
  }),
  answers: {
    200: { description: 'The first thousand of the files.', schema: fileListSchema },
    404: NOT_THERE,
    409: NOT_ENDED,
  },
  async handle({ params, query }, context) {
    const root = requireJob(context, params.id);
    const of = filesOf(context, root);
    const { files, ...more } = of === undefined ? NONE : await listFiles(of, query.after);
    const linkTo = (path: string) =>
      `/api/v2/jobs/${root}/files/${path.split('/').map(encodeURIComponent).join('/')}`;
    return {
      status: 200,
      body: { files: files.map((file) => ({ ...file, link: linkTo(file.path) })), ...more },
    };
  },
});

export const getJobFile = defineRoute({
  method: 'GET',
  path: '/api/v2/jobs/{id}/files/{path}',
  operation: 'getFile',
  summary:
    'Gives one of the files that the job has left, byte for byte. The path may have slashes.',
  params: idSchema.extend({ path: z.string().min(1).meta({ description: 'Of the file.' }) }),
  requestHeaders: { Range: 'A range of bytes, such as `bytes=100-`.' },
  answers: {
    200: { description: 'All of it.', types: [FILE_TYPE] },
    206: { description: 'The range that was asked for.', types: [FILE_TYPE] },
    404: NOT_THERE,
    409: NOT_ENDED,
    416: { description: 'There is no such range.' },
  },
  async handle({ params, header }, context) {
    const root = requireJob(context, params.id);
    const of = filesOf(context, root);
    if (of === undefined) throw noFile(params.path);
    const { file, bytes } = await openFile(of, params.path);
    const { status, headers, body } = rangedOutput([{ handle: file, bytes }], header, FILE_TYPE);
    // Also when nobody reads it.
    body.once('close', () => void file.close());
    return { status, headers, stream: body };
  },
});

const NONE = { files: [], isComplete: true } as const;

/**
 * What may be had of a job; undefined: nothing.
 * @throws PmanError conflict while the job has not ended
 */
function filesOf({ jobs, database }: ApiContext, root: string): JobFiles | undefined {
  if (jobs.isActive(root)) throw new PmanError('conflict', `the job ${root} has not ended`);
  const record = database.tree(root) ?? new TreeNode();
  const { files } = jobs.view(record).asked();
  const patterns = Array.isArray(files) ? files.filter((one) => typeof one === 'string') : [];
  const folder = jobs.workFolder(record);
  return folder === undefined || patterns.length === 0 ? undefined : { ...folder, patterns };
}
