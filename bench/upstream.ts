import { createServer, type ServerResponse } from 'node:http';
import { parsePrompt, type Script, tokenOf } from './script.ts';

// An OpenAI-compatible provider whose answers the prompt decides: token by token known in advance, so that a reader can check every one.

const FRAME_START = 'data: {"id":"bench","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"';
const FRAME_END = '"},"finish_reason":null}]}\n\n';
const LAST_FRAMES =
  'data: {"id":"bench","object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';

function framesOf(script: Script, from: number): string {
  let frames = '';
  for (let at = from; at < Math.min(from + script.batch, script.tokens); at += 1) frames += FRAME_START + tokenOf(script, at) + FRAME_END;
  return frames;
}

function stream(script: Script, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  let next = 0;
  let timer: NodeJS.Timeout | null = null;
  const step = (): boolean => {
    if (next >= script.tokens) {
      if (timer) clearInterval(timer);
      response.end(LAST_FRAMES);
      return true;
    }
    const room = response.write(framesOf(script, next));
    next += script.batch;
    return room;
  };
  const rush = () => {
    if (response.destroyed || response.writableEnded) return;
    if (step()) setImmediate(rush);
    else response.once('drain', rush);
  };
  if (script.delayMs > 0) timer = setInterval(step, script.delayMs);
  else rush();
  response.once('close', () => timer && clearInterval(timer));
}

function whole(script: Script, response: ServerResponse): void {
  let content = '';
  for (let at = 0; at < script.tokens; at += 1) content += tokenOf(script, at);
  const message = { role: 'assistant', content };
  const body = JSON.stringify({ id: 'bench', object: 'chat.completion', choices: [{ index: 0, message, finish_reason: 'stop' }] });
  response.writeHead(200, { 'content-type': 'application/json' }).end(body);
}

const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (text: string) => {
    body += text;
  });
  request.on('end', () => {
    if (request.method === 'GET')
      return void response.writeHead(200, { 'content-type': 'application/json' }).end('{"data":[{"id":"gpt-4"}]}');
    const asked = JSON.parse(body) as { stream?: boolean; messages: { content: string }[] };
    const script = parsePrompt(asked.messages.at(-1)?.content ?? '');
    if (asked.stream === true) stream(script, response);
    else whole(script, response);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.send?.({ port: address.port });
});
process.once('disconnect', () => process.exit(0));
