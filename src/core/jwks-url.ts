const LONGEST = 2048;

/** What is wrong with an address of public keys, as the end of a sentence; null when it may be fetched. */
export function jwksUrlProblem(text: string): string | null {
  const url = text.length <= LONGEST ? URL.parse(text) : null;
  if (url === null) return 'must be an address such as https://login.example.com/.well-known/jwks.json';
  if (url.username !== '' || url.password !== '' || url.hash !== '') return 'must have no credentials and no fragment';
  const safe = url.protocol === 'https:' || (url.protocol === 'http:' && isThisMachine(url.hostname));
  return safe
    ? null
    : 'must begin with https:// (http:// only for this machine), because whoever can change the keys on their way can sign tokens';
}

/** URL parsing has brought all spellings of an IPv4 address into this one. */
function isThisMachine(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
