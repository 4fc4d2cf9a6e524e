import { partsAt, type Searched, searched } from './guessable-parts.ts';

/** The shortest HMAC key that is as strong as the SHA-256 it feeds (RFC 7518 section 3.2), in characters. */
const MIN_LENGTH = 32;
/** 128, the strength of a random key of that length in hexadecimal, less what chance takes: parts that look like words. */
const MIN_BITS = 108;
/** Words, runs and repetitions count for so much together, however many there are: whoever knows the sentence knows them all. */
const MOST_GUESSABLE_BITS = 24;
/** A random text has a description that is so much shorter than itself only once in 2^26 times. */
const MIN_SAVED_BITS = 26;
/** Enough to find 108 bits in whatever has them. */
const LONGEST_SEARCHED = 256;

/** Phrases of published examples and tutorials, as they read once case and punctuation are gone. */
const PLACEHOLDERS = [
  'yoursecret',
  'yourjwt',
  'yourbetterauth',
  'yoursuper',
  'your256bit',
  'mysecret',
  'jwtsecretkey',
  'secretkeyhere',
  'supersecret',
  'verysecret',
  'changeme',
  'changethis',
  'changein',
  'replaceme',
  'replacethis',
  'replacewith',
  'placeholder',
  'development',
  'donotuse',
  'notasecret',
  'examplesecret',
  'insecure',
];

/** Random once, and since then in public: defaults of programs and the keys of tutorials and standards that people copy; written as above. */
const PUBLISHED = [
  // Better Auth
  'betterauthsecret12345678901234567890',
  // FastAPI's tutorial
  '09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7',
  // Spring Boot tutorials
  '404e635266556a586e3272357538782f413f4428472b4b6250645367566b5970',
  // LibreChat
  '16f8c0ef4a5d391b26034086c628469d3f9f497f08163ab9b40137092f2909ef',
  'eaa5191f2914e30b9387fd84e254e4ba6fc51b4654968a9b0803b456a54b8418',
  // Dify
  'sk9f73s3ljtxvcmt3blb3ljtqtskighxvcmt3blbkfjlk7u',
  // The first digits of pi and of e
  '3141592653589793',
  '2718281828459045',
  // RFC 4122 and the examples of many programs that make such ids
  '123e4567e89b12d3a456426614174000',
  '550e8400e29b41d4a716446655440000',
  // RFC 7515, appendix A.1
  'aym1sysppbydfgzld3umj1qzkobwvmkoqqestjqlrt1qs0gzh75aktmn3yj0ips4hcguutwjazzr1z9caow',
];

/** Why a signing secret could be guessed, as the end of a sentence about it; null when nothing speaks against it. */
export function secretWeakness(secret: string): string | null {
  const letters = secret.toLowerCase().replace(/[^a-z0-9]/g, '');
  if (PUBLISHED.some((published) => letters.includes(published))) return 'has been published as a default or an example';
  if (PLACEHOLDERS.some((phrase) => letters.includes(phrase))) return 'is a placeholder from an example';
  if (secret.length < MIN_LENGTH) return `is shorter than ${MIN_LENGTH} characters`;
  if (isGuessable(secret.slice(0, LONGEST_SEARCHED))) return 'can be guessed, because words, runs, repetitions or only digits are in it';
  return null;
}

interface Description {
  /** Of the guessable parts. */
  readonly bits: number;
  /** The characters that are in none of them. */
  readonly rest: string;
}

const NOTHING: Description = { bits: 0, rest: '' };

/** Whether too little is left of a text when everything in it that a guesser can describe in few bits is taken for guessed. */
function isGuessable(text: string): boolean {
  const letterBits = letterBitsOf(text);
  const { bits, rest } = shortestDescription(searched(text), letterBits);
  const left = rest.length * letterBitsOf(rest) + Math.min(bits, MOST_GUESSABLE_BITS);
  const most = text.length * letterBits;
  const saved = most - rest.length * letterBits - bits;
  return left < MIN_BITS && (most < MIN_BITS || saved >= MIN_SAVED_BITS);
}

/** What a guesser has to be told at least to know a text. */
function shortestDescription(given: Searched, letterBits: number): Description {
  const { text } = given;
  const cost = ({ bits, rest }: Description) => bits + rest.length * letterBits;
  // By how much of the text's end it describes.
  const best: Description[] = [NOTHING];
  for (let at = text.length - 1; at >= 0; at -= 1) {
    const behind = (length: number) => best[text.length - at - length] ?? NOTHING;
    let chosen: Description = { bits: behind(1).bits, rest: text.charAt(at) + behind(1).rest };
    for (const { length, bits } of partsAt(given, at, letterBits)) {
      const described = { bits: bits + behind(length).bits, rest: behind(length).rest };
      if (cost(described) < cost(chosen)) chosen = described;
    }
    best.push(chosen);
  }
  return best.at(-1) ?? NOTHING;
}

/** What a character tells that is one of all those of the kinds that a text has. */
function letterBitsOf(text: string): number {
  return Math.log2(Math.max(1, alphabetOf(text)));
}

/** How many characters there are of the kinds that a text has. */
function alphabetOf(text: string): number {
  const kinds: readonly [RegExp, number][] = [
    [/\d/, 10],
    [/[a-f]/, 6],
    [/[g-z]/, 20],
    [/[A-F]/, 6],
    [/[G-Z]/, 20],
    [/[-_]/, 2],
    [/[+/=]/, 3],
    [/[^\w+/=-]/, 29],
  ];
  return kinds.reduce((sum, [kind, size]) => (kind.test(text) ? sum + size : sum), 0);
}
