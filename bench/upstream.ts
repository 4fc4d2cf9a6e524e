import { createServer, type ServerResponse } from 'node:http';
import { parsePrompt, type Script, textOf } from './script.ts';
import { framesOf, LAST_FRAMES } from './upstream-frames.ts';

// An OpenAI-compatible provider whose answers the prompt decides: token by token known in advance, so that a reader can check every one.

/** The first write at once, the next ones after the delay each, or as fast as the socket takes them. */
function stream(script: Script, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  let next = 0;
  const step = (): boolean => {
    if (next >= script.tokens) {
      response.end(LAST_FRAMES);
      return false;
    }
    const room = response.write(framesOf(script, next), 'latin1');
    next += script.batch;
    return room;
  };
  const rush = () => {
    if (response.destroyed || response.writableEnded) return;
    if (step()) setImmediate(rush);
    else response.once('drain', rush);
  };
  if (script.delayMs === 0) {
    rush();
    return;
  }
  step();
  const timer = setInterval(() => response.writableEnded || step(), script.delayMs);
  response.once('close', () => clearInterval(timer));
}

function whole(script: Script, response: ServerResponse): void {
  const message = { role: 'assistant', content: textOf(script) };
  const body = JSON.stringify({ id: 'bench', object: 'chat.completion', choices: [{ index: 0, message, finish_reason: 'stop' }] });
  const answer = () => response.writeHead(200, { 'content-type': 'application/json' }).end(body);
  if (script.delayMs === 0) answer();
  else setTimeout(answer, script.delayMs);
}

function answer(body: string, response: ServerResponse): void {
  const asked = JSON.parse(body) as { stream?: boolean; messages: { content: string }[] };
  const script = parsePrompt(asked.messages.at(-1)?.content ?? '');
  if (asked.stream === true) stream(script, response);
  else whole(script, response);
}

const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (text: string) => {
    body += text;
  });
  request.on('end', () => {
    try {
      if (request.method === 'GET') response.writeHead(200, { 'content-type': 'application/json' }).end('{"data":[{"id":"gpt-4"}]}');
      else answer(body, response);
    } catch (error) {
      response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ error: { message: String(error) } }));
    }
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.send?.({ port: address.port });
});
process.once('disconnect', () => process.exit(0));
