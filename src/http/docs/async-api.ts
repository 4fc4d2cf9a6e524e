import type { Document } from './open-api.ts';
import type { DescribedDialect } from './operation.ts';
import type { JsonSchema } from './schema.ts';
import type { FrameDocument, SocketDocument } from './socket-document.ts';

/** Describes the dialects' WebSockets as AsyncAPI 3.0; `url` is where callers reach the server. */
export function createAsyncApi(dialects: readonly DescribedDialect[], url: string): Document {
  const sockets = dialects.flatMap(({ name, prefixes, document }) => socketAt(name, prefixes, document.socket));
  const { host, protocol } = new URL(url);
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Polylogue WebSockets',
      version: '1',
      description: 'Frames are texts, each one JSON object with a `type`. The HTTP side is described at `/openapi.json`.',
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    servers: {
      this: { host, protocol: protocol === 'https:' ? 'wss' : 'ws', security: refsTo('securitySchemes', Object.keys(securitySchemes)) },
    },
    channels: Object.fromEntries(sockets.map(({ name, address, socket }) => [name, channel(address, socket)])),
    operations: Object.assign({}, ...sockets.map(({ name, socket }) => operations(name, socket))),
    components: { securitySchemes },
  };
}

function socketAt(name: string, prefixes: readonly string[], socket: SocketDocument | undefined) {
  return socket ? prefixes.map((address) => ({ name, address, socket })) : [];
}

const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer', description: 'An API key or a token, at the upgrade.' },
  keyHeader: { type: 'httpApiKey', in: 'header', name: 'X-API-Key', description: 'An API key, at the upgrade.' },
  keyInQuery: { type: 'httpApiKey', in: 'query', name: 'key', description: 'An API key.' },
  tokenInQuery: { type: 'httpApiKey', in: 'query', name: 'token', description: 'A token of one user.' },
};

type Direction = 'fromClient' | 'fromServer';

function channel(address: string, { description, query, fromClient, fromServer }: SocketDocument): object {
  return {
    address,
    description,
    messages: { ...messages('fromClient', fromClient), ...messages('fromServer', fromServer) },
    bindings: { ws: { method: 'GET', query, bindingVersion: '0.1.0' } },
  };
}

function messages(direction: Direction, frames: SocketDocument[Direction]): Record<string, object> {
  return Object.fromEntries(Object.entries(frames).map(([type, frame]) => [messageName(direction, type), message(type, frame)]));
}

function message(type: string, { summary, schema, example }: FrameDocument): object {
  return { name: type, summary, contentType: 'application/json', payload: schema as JsonSchema, examples: [{ payload: example }] };
}

function operations(name: string, { fromClient, fromServer }: SocketDocument): Record<string, object> {
  const messagesOf = (direction: Direction, frames: object) =>
    Object.keys(frames).map((type) => ({ $ref: `#/channels/${name}/messages/${messageName(direction, type)}` }));
  const about = { channel: { $ref: `#/channels/${name}` } };
  // AsyncAPI speaks from the application's side: it receives what clients send.
  return {
    [`${name}-receive`]: { action: 'receive', ...about, summary: 'What clients send', messages: messagesOf('fromClient', fromClient) },
    [`${name}-send`]: { action: 'send', ...about, summary: 'What clients get', messages: messagesOf('fromServer', fromServer) },
  };
}

function messageName(direction: Direction, type: string): string {
  return `${direction}.${type}`;
}

function refsTo(section: string, names: readonly string[]): { $ref: string }[] {
  return names.map((name) => ({ $ref: `#/components/${section}/${name}` }));
}
