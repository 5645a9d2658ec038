import { resultAnswer } from '../dialects/envelope/resultAnswer.ts';
import { answerLength } from '../wire/json.ts';
import { searchMeta } from '../wire/request.ts';
import { defineAction } from './action.ts';
import { answerHits, requireAnswers } from './hits.ts';

/** `result`: what each job has written and how its parts ended. Not of the original, but its README promises it. */
export const result = defineAction({
  schema: searchMeta,
  async handle(meta, { services, pace }) {
    const told = await answerHits(
      { services, pace },
      meta,
      async ({ root, record }) =>
        resultAnswer(root, await services.jobs.report(root, record), services.jobs.place(root)),
      answerLength,
    );
    requireAnswers(told, meta);
    const { answers, ...page } = told;
    return { status: true, result: Object.fromEntries(answers.entries()), ...page };
  },
});
