import type { CredentialCarrier } from '../../http/authenticate.ts';
import type { DialectDeps } from '../../http/dialect.ts';
import type { FrameReceiver, WebSocketConnection } from '../../http/web-socket-connection.ts';
import { admit } from './admission.ts';
import { attempt, say } from './chat.ts';
import { createDesk, type Desk, deal } from './desk.ts';
import type { Turns } from './turns.ts';
import { type ClientFrame, readFrame } from './wire.ts';

interface OpenChat extends DialectDeps {
  readonly connection: WebSocketConnection;
  readonly request: CredentialCarrier;
  /** Turns in which this process's sockets make pages of history. */
  readonly pages: Turns;
  readonly onFault: (error: unknown) => void;
}

/** Begins to serve a socket; one that does not come in is told so and closed. */
export async function openChat(input: OpenChat): Promise<FrameReceiver> {
  const admission = await admit(input);
  if (!admission) return () => undefined;
  const desk = createDesk({ ...input, admission });
  return (text) => receive(desk, text);
}

function receive(desk: Desk, text: Buffer | null): Promise<void> {
  const { about, frame, failure } = readFrame(text, desk.settings);
  if (!frame) {
    return attempt(
      desk,
      async () => {
        await desk.engine.limits.request(desk.owner);
        throw failure;
      },
      about,
    );
  }
  if (frame.type === 'ping') return attempt(desk, () => say(desk, { type: 'pong' }));
  return desk.inOrder(subjectOf(frame), () => attempt(desk, () => answer(desk, frame), about));
}

type Frame = Exclude<ClientFrame, { type: 'ping' }>;

/** Frames about one subject wait for one another. */
function subjectOf(frame: Frame): string {
  return 'threadId' in frame ? frame.threadId : frame.runId;
}

async function answer(desk: Desk, frame: Frame): Promise<void> {
  await desk.engine.limits.request(desk.owner);
  // What came before the client left is still done for it; what a credential asked for that ended meanwhile is not.
  if (desk.admission.over.aborted) return;
  desk.door.require(desk.admission.principal, frame.type === 'history' ? 'read' : 'write');
  await deal(desk, frame);
}
