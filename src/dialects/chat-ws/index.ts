import type { Dialect } from '../../http/dialect.ts';
import { createErrorHandler } from '../../http/error-handler.ts';
import { openChat } from './socket.ts';
import { toErrorFrame } from './translate.ts';
import { createTurns } from './turns.ts';

/** Pages of history that this process makes at the same time, however many sockets ask: each may hold megabytes. */
const PAGES_AT_ONCE = 4;

/** One WebSocket for many threads: JSON frames, history on request, answers token by token. */
export const chatWs: Dialect = {
  name: 'chat-ws',
  purpose: 'One WebSocket for many threads: browsers and bots',
  prefixes: ['/chat/ws'],
  document: async () => (await import('./operations.ts')).chatWsDocument,
  register(scope, deps) {
    scope.setErrorHandler(createErrorHandler({ contentType: 'application/json; charset=utf-8', body: (failure) => toErrorFrame(failure) }));
    scope.get('', async (_request, reply) =>
      reply
        .code(426)
        .header('upgrade', 'websocket')
        .header('connection', 'close, upgrade')
        .send({ type: 'error', message: 'Connect with a WebSocket', code: 'upgrade_required' }),
    );
    const onFault = (err: unknown) => scope.log.error({ err }, 'a chat frame failed');
    const pages = createTurns(PAGES_AT_ONCE);
    deps.sockets.serve(scope.prefix, (connection, request, counts) => openChat({ ...deps, connection, request, counts, pages, onFault }));
  },
};
