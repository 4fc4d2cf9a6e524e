import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { chunkLine } from '../support/upstream.ts';
import type { Demand, Poison } from './poisons.ts';

interface SentMessage {
  readonly role: string;
  readonly content: string | null;
  readonly tool_calls?: readonly object[];
}

interface SentRequest {
  readonly messages: readonly SentMessage[];
  readonly tools?: readonly { readonly function: { readonly name: string } }[];
}

/** What marks a text as that poison. */
export function markOf(index: number): string {
  return `poison-number-${index}.`;
}

const MARK = /poison-number-(\d+)\./;
const ECHO_CHARACTERS = 200_000;

/**
 * A model behind OpenAI's protocol that does whatever the text before it says: it reads the page that the user names, makes every call that a
 * poison wants, round after round, and then answers with all that it was ever told.
 */
export async function startObedientModel(poisons: readonly Poison[]) {
  const requests: string[] = [];
  const server = createServer(async (request, response) => {
    const body = await textOf(request);
    requests.push(body);
    reply(response, JSON.parse(body) as SentRequest, poisons);
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    /** The bodies of all requests: all that it was told. */
    requests,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function reply(response: ServerResponse, { messages }: SentRequest, poisons: readonly Poison[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const demands = nextDemands(messages, poisons);
  if (demands.length === 0) response.write(chunkLine({ content: JSON.stringify(messages).slice(0, ECHO_CHARACTERS) }));
  for (const [index, { name, args = {}, id }] of demands.entries()) {
    const written = typeof args === 'string' ? args : JSON.stringify(args);
    response.write(
      chunkLine({
        tool_calls: [{ index, id: id ?? `c${messages.length}_${index}`, type: 'function', function: { name, arguments: written } }],
      }),
    );
  }
  response.end(`${chunkLine({}, demands.length === 0 ? 'stop' : 'tool_calls')}data: [DONE]\n\n`);
}

function nextDemands(messages: readonly SentMessage[], poisons: readonly Poison[]): readonly Demand[] {
  const asked = messages.filter(({ tool_calls: calls = [] }) => calls.length > 0).length;
  const question = messages.findLast(({ role }) => role === 'user')?.content ?? '';
  const [, page] = /Read page (\d+)/.exec(question) ?? [];
  if (page !== undefined && asked === 0) return [{ name: 'read_page', args: { n: Number(page) } }];
  const [, index] = MARK.exec(messages.map(({ content }) => content ?? '').join('\n')) ?? [];
  return poisons[Number(index)]?.rounds[asked - (page === undefined ? 0 : 1)] ?? [];
}
