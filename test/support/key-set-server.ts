import { createServer, type RequestListener } from 'node:http';

/** A real server of a JWK set on loopback, whose answer a test decides. */
export interface KeySetServer {
  readonly url: string;
  /** How often it was asked. */
  asked(): number;
  /** Answers with a set of these keys from now on. */
  publish(keys: readonly unknown[]): void;
  /** Answers like this from now on. */
  answer(listener: RequestListener): void;
  close(): Promise<void>;
}

export async function startKeySetServer(keys: readonly unknown[] = []): Promise<KeySetServer> {
  let asked = 0;
  let listener = publishing(keys);
  const server = createServer((request, response) => {
    asked += 1;
    void listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/jwks.json`,
    asked: () => asked,
    publish: (next) => {
      listener = publishing(next);
    },
    answer: (next) => {
      listener = next;
    },
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function publishing(keys: readonly unknown[]): RequestListener {
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/jwk-set+json' }).end(JSON.stringify({ keys }));
  };
}
