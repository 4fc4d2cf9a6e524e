import { resolve } from 'node:path';
import { AppError } from '../../core/errors.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { ExtractedText, Extractor } from '../../core/ports/extractor.ts';
import { createCage } from './cage.ts';
import { detectDocumentType } from './detect-document-type.ts';
import { createTurns } from './turns.ts';

const MAX_PAGES = 2000;
const MAX_CHARACTERS = 5_000_000;
const MEMORY_BYTES = 600_000_000;
const TIME_MS = 10_000;
const IDLE_MS = 60_000;
const MAX_WAITING = 100;
const MAX_WAITING_PER_OWNER = 20;

/** Of a document's time, what is for reading pages: a long one is cut short rather than refused. */
const READING_SHARE = 0.7;

/** The bounds have defaults that fit uploads of 10 MiB. */
export interface ExtractorOptions {
  readonly clock: Clock;
  readonly maxPages?: number;
  /** UTF-16 code units of all pages together. */
  readonly maxCharacters?: number;
  /** Resident memory at which the process that reads is killed; about 80 MB are its own. */
  readonly memoryBytes?: number;
  /** Time for one document, after which the process is killed. */
  readonly timeMs?: number;
  /** How long the process stays for the next document. */
  readonly idleMs?: number;
  readonly maxWaiting?: number;
  readonly maxWaitingPerOwner?: number;
}

/** Reads documents in a child process, one at a time, owners in turns. Nothing is started before the first document. */
export function createExtractor(options: ExtractorOptions): Extractor {
  const { clock, timeMs = TIME_MS } = options;
  const bounds = {
    maxPages: options.maxPages ?? MAX_PAGES,
    maxCharacters: options.maxCharacters ?? MAX_CHARACTERS,
    readingMs: timeMs * READING_SHARE,
  };
  const limits = { memoryBytes: options.memoryBytes ?? MEMORY_BYTES, timeMs };
  const cage = createCage({ clock, limits, idleMs: options.idleMs ?? IDLE_MS });
  const turns = createTurns({
    maxWaiting: options.maxWaiting ?? MAX_WAITING,
    maxPerOwner: options.maxWaitingPerOwner ?? MAX_WAITING_PER_OWNER,
  });
  const closing = new AbortController();
  let reading: Promise<ExtractedText> | null = null;
  return {
    detect: detectDocumentType,
    extract: async ({ file, type, signal, owner = '' }) => {
      const until = AbortSignal.any([signal, closing.signal]);
      const endTurn = await turns.take(owner, until);
      try {
        reading = cage.read({ file: resolve(file), type, bounds }, until);
        return await reading;
      } finally {
        endTurn();
      }
    },
    close: async () => {
      closing.abort(new AppError('draining', 'The server is shutting down; send this again', { retryAfterSeconds: 5 }));
      await Promise.allSettled([reading]);
      await cage.close();
    },
  };
}
