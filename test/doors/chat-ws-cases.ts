/** A test by its file, from the project's root, and how its title begins. */
type Named = readonly [file: string, title: string];

const FOLDER = 'src/dialects/chat-ws';
const ADMISSION = `${FOLDER}/admission.test.ts`;
const FRAMES = `${FOLDER}/frames.test.ts`;
const HISTORY = `${FOLDER}/history.test.ts`;
const QUESTION = `${FOLDER}/question.test.ts`;

/**
 * Which tests ask of the chat socket what each case of the dialects' contract asks of the doors that take requests. A new case of the contract
 * has its line here.
 */
export const chatWsCases: Readonly<Record<string, readonly [Named, ...Named[]]>> = {
  'who sends no credential, or a wrong one, is refused': [
    [ADMISSION, 'credentials that do not count (%s) are told so and closed'],
    [`${FOLDER}/socket.test.ts`, 'an expired token is told apart from a wrong one'],
  ],
  'what is of somebody else is answered like what never was': [
    [HISTORY, "history never shows another user's thread"],
    ['test/hostile/isolation.test.ts', 'in a frame is answered to %s byte for byte like one that was never used'],
  ],
  'a bad body is refused and starts nothing': [[FRAMES, 'what is wrong with a frame is said in words, and the socket stays open']],
  'text goes both ways unchanged': [
    [QUESTION, 'a question reaches the model as it was written, with the conversation before it'],
    ['test/hostile-answers.test.ts', 'hostile answers are the same at every door, live and stored'],
  ],
  'the model sees the conversation so far': [[QUESTION, 'a question reaches the model as it was written, with the conversation before it']],
  'whoever disconnects stops nothing': [
    [HISTORY, 'history after a lost connection gives what is finished, then the live answer from its start'],
    [ADMISSION, 'credentials that expire close the socket, and what runs goes on'],
  ],
  'readers at the same time and afterwards get the same bytes': [
    [`${FOLDER}/devices.test.ts`, 'two devices of one user see the same conversation, whoever sends, and the thread may come to be later'],
    [HISTORY, 'history asked for again during an answer begins that answer again'],
  ],
  'a reader resumes behind every frame it has': [
    [HISTORY, 'history after a lost connection gives what is finished, then the live answer from its start'],
  ],
  'a cancelled answer ends as the dialect says, its text so far in the thread': [[FRAMES, 'cancel keeps the text so far']],
  'a failed answer ends as the dialect says': [
    [QUESTION, 'a question that the model fails on ends in an error frame, and the socket stays open'],
  ],
  'a repeat with the same Idempotency-Key is the same run': [
    [QUESTION, 'a question with a client_id that was used is not stored again; with another content it is an error'],
  ],
  'answers name thread, run and request': [
    [QUESTION, 'a question is acknowledged, answered in tokens and by one message, and not echoed'],
    [FRAMES, 'an error names the thread and the job that its frame named'],
  ],
  'an unknown address is answered in native words': [
    ['test/doors/doors.test.ts', 'an unknown address below the chat socket is answered in native words'],
  ],
};
