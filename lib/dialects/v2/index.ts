export { type ApiRequest, answerApi, isApiRequest } from './api.ts';
export type { ApiContext, ApiReply } from './apiRoute.ts';
export { isKnownTag } from './entityTag.ts';
export { openApi } from './openApi.ts';
export { problem, problemReply } from './problem.ts';
export { rehearseLists } from './rehearsal.ts';
export type { ServerLimits } from './serverLimits.ts';
export { WrittenJson } from './writtenJson.ts';
