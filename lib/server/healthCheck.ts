import type { RequestHead } from '../gateway/types.ts';

/** Load balancers know no tokens: whether a server is well is told to everybody, and nothing else. */
const HEALTH = /^\/[^/?]*\/[^/?]*\/hello\/?(?:\?askAbout=health)?$/;

/** Whether a request without a token asks for nothing but the server's health. It has no body: nobody has to read one. */
export function isHealthCheck({ method, target, authorization, rawHeaders }: RequestHead): boolean {
  const asks = method === 'GET' || method === 'HEAD';
  return asks && authorization === undefined && HEALTH.test(target) && !hasBody(rawHeaders);
}

/** Whether the head of a request announces a body. */
export function hasBody(rawHeaders: RequestHead['rawHeaders']): boolean {
  return rawHeaders.some(([name, value]) => {
    const known = name.toLowerCase();
    return known === 'transfer-encoding' || (known === 'content-length' && value.trim() !== '0');
  });
}
