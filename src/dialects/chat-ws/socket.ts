import type { CredentialCarrier } from '../../http/authenticate.ts';
import type { DialectDeps } from '../../http/dialect.ts';
import type { Outcome, SocketCounts } from '../../http/socket-counts.ts';
import type { FrameReceiver, WebSocketConnection } from '../../http/web-socket-connection.ts';
import { admit } from './admission.ts';
import { attempt, say } from './chat.ts';
import { createDesk, type Desk, deal } from './desk.ts';
import type { Turns } from './turns.ts';
import { type ClientFrame, type ReceivedFrame, readFrame } from './wire.ts';

interface OpenChat extends DialectDeps {
  readonly connection: WebSocketConnection;
  readonly request: CredentialCarrier;
  readonly counts: SocketCounts;
  /** Turns in which this process's sockets make pages of history. */
  readonly pages: Turns;
  readonly onFault: (error: unknown) => void;
}

/** Begins to serve a socket; one that does not come in is told so and closed. */
export async function openChat(input: OpenChat): Promise<FrameReceiver> {
  const admission = await admit(input);
  return admission ? receiverOf(createDesk({ ...input, admission }), input.counts) : () => undefined;
}

/** Holds nothing of the request that opened the socket. */
function receiverOf(desk: Desk, counts: SocketCounts): FrameReceiver {
  return async (text) => {
    const received = readFrame(text, desk.settings);
    counts.frame(received.frame?.type ?? 'invalid', await receive(desk, received));
  };
}

function receive(desk: Desk, { about, frame, failure }: ReceivedFrame): Promise<Outcome> {
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
  if (frame.type === 'ping') {
    return desk.connection.takePing() ? attempt(desk, () => say(desk, { type: 'pong' })) : Promise.resolve('rate_limited');
  }
  return desk.inOrder(subjectOf(frame), () => attempt(desk, () => answer(desk, frame), about));
}

type Frame = Exclude<ClientFrame, { type: 'ping' }>;

/** Frames about one subject wait for one another. */
function subjectOf(frame: Frame): string {
  return 'threadId' in frame ? frame.threadId : frame.runId;
}

/** Whether the socket's credential counts; when its time is over, a timer is about to close the socket. */
function stillCounts({ admission, clock }: Desk): boolean {
  const { expiresAt } = admission.principal;
  return !admission.over.aborted && (expiresAt === null || clock.now() < expiresAt);
}

async function answer(desk: Desk, frame: Frame): Promise<void> {
  await desk.engine.limits.request(desk.owner);
  // What came before the client left is still done for it; what a credential asked for that ended meanwhile is not.
  if (!stillCounts(desk)) return;
  desk.door.require(desk.admission.principal, frame.type === 'history' ? 'read' : 'write');
  await deal(desk, frame);
}
