import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createViteServer } from 'vitest/node';

/** Serves the pages in `test/clients/browser` as a web app's own server would. */
export interface PageServer {
  /** An origin of it. */
  readonly url: string;
  /** Another origin that reaches the same pages. */
  readonly otherUrl: string;
  close(): Promise<void>;
}

/** Starts it on a free loopback port; what lies under `/api` comes from the server at `api`. */
export async function startPageServer(api: string): Promise<PageServer> {
  const cacheDir = await mkdtemp(join(tmpdir(), 'polylogue-pages-'));
  const server = await createViteServer({
    configFile: false,
    root: fileURLToPath(new URL('../clients/browser', import.meta.url)),
    cacheDir,
    logLevel: 'error',
    optimizeDeps: { include: ['react', 'react-dom/client', 'react/jsx-dev-runtime'] },
    server: { host: '127.0.0.1', port: 0, hmr: false, ws: false, watch: null, proxy: { '/api': api } },
  });
  await server.listen();
  const address = server.httpServer?.address() as AddressInfo | null | undefined;
  if (!address) throw new Error('The page server does not listen');
  const { port } = address;
  return {
    url: `http://127.0.0.1:${port}`,
    otherUrl: `http://localhost:${port}`,
    async close() {
      await server.close();
      await rm(cacheDir, { recursive: true, force: true });
    },
  };
}
