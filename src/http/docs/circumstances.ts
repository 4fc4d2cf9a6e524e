/** What must be so before a request is refused, where a change of the request does not do it alone; `{names}` stand for values to fill in. */
export const circumstances = {
  keyWithoutRead: '{key} is a key without the scope read.',
  keyWithoutWrite: '{key} is a key without the scope write.',
  keyWithoutAdmin: '{key} is a key without the scope admin.',
  keyWithoutActAs: '{key} is a key without the scope act_as.',
  spentKey: '{key} is the key of an application that has used up its requests of this minute.',
  busyKey: '{key} is a key of an application that has as many answers under way as it may.',
  connectedKey: '{key} is a key of an application that has as many connections open as it may.',
  otherToken: '{token} is a token of another user.',
  expiredToken: '{token} is a token of the user whose time is over.',
  usedRepeatKey: '{repeat_key} is the Idempotency-Key of an earlier, other request.',
  namedModels: 'The settings name the models, or a provider lists them.',
  retiredModel: '{thread_id} is a thread whose model is no longer served.',
  fullQueue: '{thread_id} is a thread, and {session_id} its number, in which as many messages wait as may.',
  sharedThread: '{thread_id} is an id that two users of the application have chosen for a thread.',
  crowdedRun: '{run_id} is an answer under way that has as many readers as it may.',
  crowdedAnswer: '{repeat_key} is the Idempotency-Key of this request, whose answer is under way and has as many readers as it may.',
  cancelled: 'The answer is cancelled before it is whole.',
  longBody: '{body} is a JSON object of more bytes than the server takes.',
  largeFile: '{file} is a PDF of one byte more than may be uploaded.',
  guardedMetrics: '/metrics asks for a credential; {key} is a key without the scope admin.',
} as const;

/** One of them by name. */
export type Circumstance = keyof typeof circumstances;
