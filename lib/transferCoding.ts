/**
 * What is said of a request whose body comes in a transfer coding that nobody undoes here: a server that does not know a coding
 * answers with 501 (RFC 9112, 6.1). Undefined when it can be read, and when nobody can say where it ends, as "chunked" is not
 * the last one: Node's parser refuses that.
 * @param values those of its headers Transfer-Encoding
 */
export function codingFault(values: readonly string[]): string | undefined {
  const codings = values.flatMap((value) => value.split(',')).map((coding) => coding.trim());
  if (codings.at(-1)?.toLowerCase() !== 'chunked') return undefined;
  const unknown = codings.find((coding) => coding !== '' && coding.toLowerCase() !== 'chunked');
  return unknown && `the transfer coding ${JSON.stringify(unknown)} is not known: only chunked is`;
}
