import { hasPages, type SourcePassage } from '../../../core/attachment.ts';
import type { ThreadKey } from '../../../core/ids.ts';
import { type Message, textOf } from '../../../core/message.ts';
import type { AttachmentStore } from '../../../core/ports/attachment-store.ts';
import type { TokenCounter } from '../../../core/ports/token-counter.ts';
import { showFiles, showPassage } from './file-text.ts';
import { fold } from './fold.ts';
import { createLabels, type LabelOf } from './labels.ts';
import { mentionedPages } from './page-mentions.ts';
import { termsOf } from './question-terms.ts';
import { scoresOf } from './rank.ts';
import { createScan, type Seen } from './scan.ts';

/** Code units of passages that are looked up: more of them would cost more and tell little more. */
const MOST_LOOKED_UP = 48_000;
/** What stands around the passages. */
const FRAME_TOKENS = 250;
/** More than a token has in any text of some length. */
const CHARS_PER_TOKEN = 10;
const EARLIER_QUESTIONS = 2;
/** Code units of a question in which pages are named. */
const LONGEST_LOOK = 8_000;
/** Higher than any score by words. */
const MENTIONED = 1e6;

interface FileContextPorts {
  readonly store: Pick<AttachmentStore, 'attachmentsOf' | 'readPassages' | 'findPassages'>;
  readonly counter: TokenCounter;
}

interface AskFiles {
  readonly threadKey: ThreadKey;
  /** Ends with the question. */
  readonly history: readonly Message[];
  /** Tokens that the files may take. */
  readonly room: number;
  readonly signal: AbortSignal;
}

/** What the model gets to know of a thread's files. */
export interface FileContext {
  /** For the model's instructions. */
  readonly text: string;
  /** The same passages, best first. */
  readonly passages: readonly SourcePassage[];
}

/** Tells what of the files of a thread a model should know to answer; null for nothing. */
export type ReadFiles = (ask: AskFiles) => Promise<FileContext | null>;

/** Makes what shows files whole where they fit, else the passages that match the question. */
export function createFileContext({ store, counter }: FileContextPorts): ReadFiles {
  const scan = createScan(store);

  return async ({ threadKey, history, signal, ...ask }) => {
    const files = await store.attachmentsOf(threadKey);
    const room = ask.room - FRAME_TOKENS;
    if (files.length === 0 || room <= 0) return null;
    const questions = history.filter(({ role }) => role === 'user').map(({ parts }) => textOf(parts));
    const question = questions.at(-1) ?? '';
    const terms = termsOf(question, questions.slice(-1 - EARLIER_QUESTIONS, -1).reverse());
    const seen = await scan({ files, terms, keep: room * CHARS_PER_TOKEN, signal });
    const scores = withMentions(scoresOf(seen, terms), seen, mentionedPages(fold(question.slice(0, LONGEST_LOOK))));
    const ranked = seen.map((passage, index) => ({ passage, score: scores[index] ?? 0 }));
    const candidates = { store, counter, ranked: ranked.sort((one, other) => other.score - one.score), labelOf: createLabels(files) };
    const all = await wholeText(candidates, room);
    const best = all ?? (await bestPassages(candidates, room));
    if (best.length === 0) return null;
    const secret = files[0]?.contentId.slice(-12) ?? '';
    return { text: showFiles({ passages: inOrder(best, seen), whole: all !== null, secret }), passages: best.map(({ source }) => source) };
  };
}

/** Pages that the question names come before all others, in its order. */
function withMentions(scores: readonly number[], seen: readonly Seen[], pages: readonly number[]): readonly number[] {
  if (pages.length === 0) return scores;
  return scores.map((score, index) => {
    const passage = seen[index];
    const place = passage && hasPages(passage.file.type) ? pages.indexOf(passage.page) : -1;
    return place === -1 ? score : score + MENTIONED * (pages.length - place);
  });
}

interface Candidates extends FileContextPorts {
  readonly ranked: readonly { readonly passage: Seen; readonly score: number }[];
  readonly labelOf: LabelOf;
}

interface Chosen {
  readonly passage: Seen;
  readonly source: SourcePassage;
}

/** Every passage, best first; null when they do not fit. */
async function wholeText({ ranked, counter, labelOf }: Candidates, room: number): Promise<readonly Chosen[] | null> {
  const chosen: Chosen[] = [];
  for (const { passage } of ranked) {
    if (passage.text === null) return null;
    chosen.push({ passage, source: toSource(passage, passage.text, labelOf) });
  }
  const size = await sizeOf(chosen, { counter, limit: room });
  return size <= room ? chosen : null;
}

/** As many of the best passages as fit; the beginnings of the files when nothing matches. */
async function bestPassages({ ranked, store, counter, labelOf }: Candidates, room: number): Promise<readonly Chosen[]> {
  const matching = ranked.filter(({ score }) => score > 0);
  const wanted = matching.length > 0 ? matching : ranked.toSorted((one, other) => one.passage.position - other.passage.position);
  const chosen: Chosen[] = [];
  let characters = 0;
  for (const { passage } of wanted) {
    characters += passage.length;
    if (characters > MOST_LOOKED_UP && chosen.length > 0) break;
    const text = passage.text ?? (await store.findPassages(passage.file.contentId, [passage.position]))[0]?.text;
    if (text !== undefined) chosen.push({ passage, source: toSource(passage, text, labelOf) });
  }
  if ((await sizeOf(chosen, { counter, limit: room })) <= room) return chosen;
  let left = room;
  const fitting: Chosen[] = [];
  for (const one of chosen) {
    left -= await counter.count(showPassage(one.source, MARKER_SIZE), left);
    if (left < 0) break;
    fitting.push(one);
  }
  return fitting;
}

function toSource({ file, page }: Seen, text: string, labelOf: LabelOf): SourcePassage {
  return { label: labelOf(file, page), fileId: file.id, name: file.name, page: hasPages(file.type) ? page : null, text };
}

/** Tokens, counted only when it may matter: a byte-level vocabulary has no token below one byte. */
async function sizeOf(chosen: readonly Chosen[], { counter, limit }: { counter: TokenCounter; limit: number }): Promise<number> {
  const shown = chosen.map(({ source }) => showPassage(source, MARKER_SIZE));
  const most = shown.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (most <= limit) return most;
  await counter.load();
  let size = 0;
  for (const text of shown) if (size <= limit) size += await counter.count(text, limit - size);
  return size;
}

/** As long as a marker is. */
const MARKER_SIZE = '=====0123456789ab';

function inOrder(chosen: readonly Chosen[], seen: readonly Seen[]): readonly SourcePassage[] {
  const place = new Map(seen.map((passage, index) => [passage, index]));
  return chosen.toSorted((one, other) => (place.get(one.passage) ?? 0) - (place.get(other.passage) ?? 0)).map(({ source }) => source);
}
