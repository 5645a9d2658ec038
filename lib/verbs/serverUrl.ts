/** Whether a server is on this host, as far as its address tells. */
export function isHere(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}

/** Where the page of a server is. */
export function pageUrl(url: string): string {
  return `${url.replace(/\/+$/, '')}/ui`;
}
