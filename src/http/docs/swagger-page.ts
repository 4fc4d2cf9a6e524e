import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Nothing from elsewhere: the pictures inside the style sheet are `data:` URLs. */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export const PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Polylogue API</title>
<link rel="icon" type="image/png" href="/docs/icon.png">
<link rel="stylesheet" href="/docs/swagger-ui.css"><link rel="stylesheet" href="/docs/start.css"></head>
<body><div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body>
</html>
`;

/** One file of the page. */
export interface PageFile {
  readonly type: string;
  readonly content: Buffer | string;
}

const shipped: Readonly<Record<string, { readonly file: string; readonly type: string }>> = {
  'swagger-ui.css': { file: 'swagger-ui.css', type: 'text/css; charset=utf-8' },
  'swagger-ui-bundle.js': { file: 'swagger-ui-bundle.js', type: 'text/javascript; charset=utf-8' },
  'icon.png': { file: 'favicon-32x32.png', type: 'image/png' },
};

const STYLE = 'body { margin: 0; }\n.swagger-ui .info { margin: 2rem 0 1rem; }\n';

/** Reads the page's files when they are asked for first; `key` is filled in as the credential when there is one to show. */
export function createPageFiles(key: string | null): (name: string) => Promise<PageFile | null> {
  const read = new Map<string, Promise<PageFile>>();
  return async (name) => {
    if (name === 'start.js') return { type: 'text/javascript; charset=utf-8', content: startScript(key) };
    if (name === 'start.css') return { type: 'text/css; charset=utf-8', content: STYLE };
    const known = Object.hasOwn(shipped, name) ? shipped[name] : undefined;
    if (!known) return null;
    const reading = read.get(name) ?? readShipped(known);
    read.set(name, reading);
    return reading;
  };
}

async function readShipped({ file, type }: { readonly file: string; readonly type: string }): Promise<PageFile> {
  const require = createRequire(import.meta.url);
  const directory = dirname(require.resolve('@fastify/swagger-ui'));
  return { type, content: await readFile(join(directory, 'static', file)) };
}

function startScript(key: string | null): string {
  const authorize = key === null ? '' : `\n  onComplete: () => ui.preauthorizeApiKey('bearer', ${JSON.stringify(key)}),`;
  return `const ui = SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  docExpansion: 'none',
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],${authorize}
});
`;
}
