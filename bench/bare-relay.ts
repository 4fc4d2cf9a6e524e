import { Agent, request as call, createServer } from 'node:http';

// The yardstick: what a relay costs that does nothing but parse the provider's stream and write it again. No key, no store, no limits.

const upstream = new URL(String(process.argv[2]));
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });

const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8');
  request.on('data', (text: string) => {
    body += text;
  });
  request.on('end', () => {
    const asked = JSON.parse(body) as { stream?: boolean };
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const forwarded = call(new URL('/v1/chat/completions', upstream), { agent, method: 'POST', headers }, (answer) => {
      answer.setEncoding('utf8');
      if (asked.stream !== true) {
        let text = '';
        answer.on('data', (piece: string) => {
          text += piece;
        });
        answer.on('end', () => {
          response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(JSON.parse(text)));
        });
        return;
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      let rest = '';
      answer.on('data', (piece: string) => {
        rest += piece;
        let from = 0;
        for (let at = rest.indexOf('\n\n'); at !== -1; at = rest.indexOf('\n\n', from)) {
          const data = rest.slice(from + 6, at);
          from = at + 2;
          if (data === '[DONE]') response.write('data: [DONE]\n\n');
          else response.write(`data: ${JSON.stringify(JSON.parse(data))}\n\n`);
        }
        rest = rest.slice(from);
      });
      answer.on('end', () => response.end());
    });
    forwarded.on('error', () => response.destroy());
    response.on('close', () => forwarded.destroy());
    forwarded.end(body);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.stdout.write(`listening on http://127.0.0.1:${address.port}\n`);
});
