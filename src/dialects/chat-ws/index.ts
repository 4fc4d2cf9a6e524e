import type { Dialect } from '../../http/dialect.ts';
import { openChat } from './socket.ts';

/** One WebSocket for many threads: JSON frames, history on request, answers token by token. */
export const chatWs: Dialect = {
  name: 'chat-ws',
  purpose: 'One WebSocket for many threads: browsers and bots',
  prefixes: ['/chat/ws'],
  register(scope, deps) {
    scope.get('', async (_request, reply) =>
      reply
        .code(426)
        .header('upgrade', 'websocket')
        .header('connection', 'close, upgrade')
        .send({ type: 'error', message: 'Connect with a WebSocket' }),
    );
    const onFault = (err: unknown) => scope.log.error({ err }, 'a chat frame failed');
    deps.sockets.serve(scope.prefix, (connection, request) => openChat({ ...deps, connection, request, onFault }));
  },
};
