import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { Dialect, ExamplePlace } from './dialect.ts';

/** What the page at `/` tells. */
export interface StartPage {
  /** Where callers reach the server; null: this machine, at the port it listens on. */
  readonly publicUrl: string | null;
  /** The key to show in the example: the published development key, else null. */
  readonly exampleKey: string | null;
  /** Whether the built-in demo model answers, for want of a provider. */
  readonly demo: boolean;
}

const STYLE = `
:root { color-scheme: light dark; font: 1rem/1.6 system-ui, sans-serif; --line: color-mix(in srgb, currentColor 22%, transparent); }
body { max-width: 52rem; margin: 0 auto; padding: 3rem 1.25rem 4rem; }
h1 { margin: 0; font-size: 2.25rem; line-height: 1.2; }
h2 { margin: 0; font-size: 1.15rem; }
header p { margin: .5rem 0 1.5rem; font-size: 1.1rem; }
section { margin: 1.25rem 0; padding: 1.1rem 1.25rem; border: 1px solid var(--line); border-radius: .6rem; }
section p { margin: .2rem 0 .8rem; }
code { font: .8rem/1.55 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
pre { margin: 0; padding: .8rem 1rem; overflow-x: auto; border-radius: .4rem; background: color-mix(in srgb, currentColor 7%, transparent); user-select: all; }
pre code { overflow-wrap: normal; }
footer { margin-top: 2rem; }
.note { padding: .6rem 1rem; border-left: .3rem solid #c80; background: color-mix(in srgb, #c80 12%, transparent); }
`;

const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Serves a page without scripts at `/` that says what this server is and how to send the first message. */
export function registerStartPage(app: FastifyInstance, page: StartPage, dialects: readonly Dialect[]): void {
  app.get('/', { exposeHeadRoute: true }, async (request, reply) => {
    const port = request.socket.localPort ?? 80;
    reply.header('content-security-policy', POLICY).header('referrer-policy', 'no-referrer').header('cache-control', 'no-cache');
    return reply.type('text/html; charset=utf-8').send(render({ page, dialects, url: page.publicUrl ?? `http://localhost:${port}` }));
  });
}

interface View {
  readonly page: StartPage;
  readonly dialects: readonly Dialect[];
  readonly url: string;
}

function render({ page, dialects, url }: View): string {
  const place = { url, key: page.exampleKey ?? '$POLYLOGUE_API_KEY' };
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Polylogue</title><style>${STYLE}</style></head>
<body>
<header><h1>Polylogue</h1>
<p>This server keeps conversations, runs models on them and speaks several chat protocols, all on the same threads.</p></header>
<main>
${page.demo ? DEMO_NOTE : ''}
${dialects.map((dialect) => renderDoor(dialect, place)).join('\n')}
</main>
<footer><p>${keyHint(page)} <code>/health</code> says whether the server is alive, <code>/ready</code> whether it takes work.</p>
<p><a href="/docs">All routes, to try out</a>, as <a href="/openapi.json">OpenAPI 3.1</a> and <a href="/openapi-3.0.json">3.0</a>; the WebSocket as <a href="/asyncapi.json">AsyncAPI</a>.</p></footer>
</body>
</html>
`;
}

const DEMO_NOTE = `<p class="note" role="note">No model provider is set up, so the built-in demo model answers: it only tells what it was asked.
For real answers set <code>OPENAI_API_KEY</code>, <code>ANTHROPIC_API_KEY</code> or <code>GOOGLE_GENERATIVE_AI_API_KEY</code>, or
<code>OPENAI_BASE_URL</code> for another provider, and start again.</p>`;

function renderDoor({ name, prefixes, purpose, example }: Dialect, place: ExamplePlace): string {
  const addresses = prefixes.map((prefix) => `<code>${toHtml(prefix)}</code>`).join(' and ');
  const command = example === undefined ? '' : `\n<pre tabindex="0"><code>${toHtml(example(place))}</code></pre>`;
  return `<section><h2>${toHtml(name)}</h2>
<p>${toHtml(purpose)}. Under ${addresses}.</p>${command}</section>`;
}

function keyHint({ exampleKey }: StartPage): string {
  if (exampleKey === null) return 'Put a key or a token of yours in <code>POLYLOGUE_API_KEY</code> to run the commands.';
  return 'The key in the commands works on this machine only, and never in production.';
}

function toHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
