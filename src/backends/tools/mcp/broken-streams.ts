import type { StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

/** JSON-RPC leaves codes from -32000 down to implementations; the SDK calls this one "connection closed". */
const CONNECTION_CLOSED = -32_000;

/**
 * Ends requests whose stream of answers ended without one, which the SDK would let wait until their time is over. For a transport that is
 * connected.
 */
export function endBrokenStreams(transport: StreamableHTTPClientTransport): void {
  const open = new Set<string | number>();
  const deliver = transport.onmessage?.bind(transport);
  const send = transport.send.bind(transport);

  transport.onmessage = (message) => {
    if (!('method' in message) && message.id !== undefined) open.delete(message.id);
    deliver?.(message);
  };

  transport.send = (message, options) => {
    if (Array.isArray(message) || !('method' in message) || !('id' in message)) return send(message, options);
    const { id } = message;
    open.add(id);
    const onRequestStreamEnd = () => {
      options?.onRequestStreamEnd?.();
      if (!open.delete(id)) return;
      deliver?.({ jsonrpc: '2.0', id, error: { code: CONNECTION_CLOSED, message: 'Connection closed' } });
    };
    return send(message, { ...options, onRequestStreamEnd }).catch((error: unknown) => {
      open.delete(id);
      throw error;
    });
  };
}
