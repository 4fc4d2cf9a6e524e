import { connect, type NetConnectOpts, type Socket } from 'node:net';

const READ_BYTES = 65_536;

/** All connections read into the same memory: Node's HTTP parser takes what a read brought, and copies what it keeps of it, before the next read. */
const memory = Buffer.allocUnsafeSlow(READ_BYTES);

/** Connects for HTTP without encryption. Nothing is asked of the system's memory for a read, and given back behind it. */
export function connectPlain(options: NetConnectOpts): Socket {
  const callback = (bytes: number): boolean => {
    socket.emit('data', memory.subarray(0, bytes));
    return true;
  };
  const socket = connect({ ...options, onread: { buffer: memory, callback } });
  return socket;
}
