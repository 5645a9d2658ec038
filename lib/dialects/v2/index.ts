export { type ApiRequest, isApiRequest, makeApi } from './api.ts';
export type { ApiContext, ApiReply } from './apiRoute.ts';
