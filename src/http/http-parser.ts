import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** What Node's HTTP server uses to hand a connection over to another protocol; there is no public way to it. */
interface HttpCommon {
  readonly freeParser?: (parser: object, request: IncomingMessage | null, socket: Socket) => void;
}

const { freeParser }: HttpCommon = process.getBuiltinModule('_http_common') ?? {};

const nothing = () => undefined;

/**
 * Lets go of the parser of a connection on which no further request is read, as it is done for a WebSocket: it takes 8 KiB, and Node would keep it
 * until the connection closes. What still comes is thrown away, and a client that says that it is gone is believed. Not to be called while a request
 * is being parsed. Does nothing where Node has no such parser.
 */
export function letGoOfParser(socket: Socket): void {
  const { parser } = socket as { readonly parser?: object | null };
  if (!parser || !freeParser) return;
  // These feed the parser, which will soon be another connection's.
  socket.removeAllListeners('data').removeAllListeners('end');
  socket.on('data', nothing).on('end', () => socket.end());
  freeParser(parser, null, socket);
}
