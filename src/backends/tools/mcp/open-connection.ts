import { Readable } from 'node:stream';
import type { Client, ClientCredentialsProvider, Transport } from '@modelcontextprotocol/client';
import type { Clock } from '../../../core/ports/clock.ts';
import type { OutgoingFetch } from '../../../core/ports/egress.ts';
import { endBrokenStreams } from './broken-streams.ts';
import { logErrorOutput, type McpLog } from './error-output.ts';
import type { Redact } from './redact.ts';
import type { McpServer, McpTransport } from './settings.ts';

const CONNECT_MS = 30_000;
/** A program that does not know the question of its protocol's version may never answer it; over HTTP silence is no answer. */
const PROBE_MS = { stdio: 5_000, http: 20_000 };
/** A result of 5 MB with line breaks and quotes; the SDK copies all that it has of a message with every piece, so that more would hold up everybody. */
const MESSAGE_BYTES = 8 * 1024 * 1024;
const GOODBYE_MS = 2_000;
/** A server may wish how soon a stream that ended is opened again, but no sooner and no later than this. */
const REOPEN_MS = { least: 1_000, most: 60_000 };
/** What a connection may complain of before it is no longer listened to. */
const MAX_PROBLEMS = 200;

/** A server that is connected. */
export interface Connection {
  readonly client: Client;
  /** Ends the connection, and with it the server's process if it is ours. */
  close(): Promise<void>;
}

export interface ConnectionOptions {
  readonly fetch: OutgoingFetch;
  readonly clock: Pick<Clock, 'after'>;
  readonly log: McpLog;
  readonly redact: Redact;
  readonly signal: AbortSignal;
  /** The server's tools are others now. */
  readonly onChanged: () => void;
}

/** Connects, in whichever revision of the protocol the server speaks, and promises it nothing: no sampling, no questions, no files. */
export async function openConnection(server: McpServer, options: ConnectionOptions): Promise<Connection> {
  const { Client } = await import('@modelcontextprotocol/client');
  const client = new Client(
    { name: 'polylogue', version: '1' },
    {
      versionNegotiation: { mode: 'auto', probe: { timeoutMs: PROBE_MS[server.transport.kind] } },
      listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged: options.onChanged } },
      listMaxPages: 16,
      // A result is data for a model; a schema of the server's would only be one more thing to attack with.
      jsonSchemaValidator: { getValidator: () => (input) => ({ valid: true, data: input as never, errorMessage: undefined }) },
    },
  );
  const { transport, connected = () => {}, close } = await openTransport(server, options);
  client.onerror = problemLog(server.name, options);
  try {
    await client.connect(transport, { timeout: CONNECT_MS, signal: options.signal });
  } catch (error) {
    await close();
    throw error;
  }
  connected();
  return { client, close };
}

/** Says what goes wrong with a connection, up to a number that a hostile server reaches in a second. */
function problemLog(server: string, { log, redact }: ConnectionOptions): (error: Error) => void {
  let problems = 0;
  return ({ message }) => {
    problems += 1;
    if (problems <= MAX_PROBLEMS) log.info({ server, problem: redact(message).slice(0, 500) }, 'an MCP connection has a problem');
    if (problems === MAX_PROBLEMS) log.warn({ server }, 'an MCP connection has too many problems: further ones are not logged');
  };
}

interface OpenTransport {
  readonly transport: Transport;
  /** What is left to do once the client has the transport. */
  readonly connected?: () => void;
  close(): Promise<void>;
}

async function openTransport({ name, transport }: McpServer, options: ConnectionOptions): Promise<OpenTransport> {
  return transport.kind === 'stdio' ? openProcess(name, transport, options) : openHttp(transport, options);
}

async function openProcess(
  server: string,
  { command, args, env, cwd }: Extract<McpTransport, { kind: 'stdio' }>,
  { log, redact }: ConnectionOptions,
): Promise<OpenTransport> {
  const { StdioClientTransport } = await import('@modelcontextprotocol/client/stdio');
  const transport = new StdioClientTransport({
    command,
    args: [...args],
    env: { ...env },
    ...(cwd === null ? {} : { cwd }),
    stderr: 'pipe',
    maxBufferSize: MESSAGE_BYTES,
  });
  const output = transport.stderr;
  if (output instanceof Readable) logErrorOutput(output, { log, server, redact });
  return { transport, close: () => transport.close() };
}

async function openHttp(
  { url, headers, oauth }: Extract<McpTransport, { kind: 'http' }>,
  { fetch, clock }: ConnectionOptions,
): Promise<OpenTransport> {
  const { StreamableHTTPClientTransport, ClientCredentialsProvider: Provider } = await import('@modelcontextprotocol/client');
  const authProvider: ClientCredentialsProvider | undefined =
    oauth === null
      ? undefined
      : new Provider({
          clientId: oauth.clientId,
          clientSecret: oauth.clientSecret,
          expectedIssuer: oauth.issuer,
          ...(oauth.scope === null ? {} : { scope: oauth.scope }),
        });
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    fetch,
    requestInit: { headers: { ...headers } },
    onInsufficientScope: 'throw',
    reconnectionScheduler: (reconnect, delay) => clock.after(Math.min(Math.max(delay, REOPEN_MS.least), REOPEN_MS.most), reconnect),
    reconnectionOptions: { initialReconnectionDelay: 500, maxReconnectionDelay: 5_000, reconnectionDelayGrowFactor: 2, maxRetries: 3 },
    ...(authProvider === undefined ? {} : { authProvider }),
  });
  return {
    transport,
    connected: () => endBrokenStreams(transport),
    async close() {
      const goodbye = AbortSignal.timeout(GOODBYE_MS);
      const late = new Promise<void>((resolve) => goodbye.addEventListener('abort', () => resolve(), { once: true }));
      // The server may be gone already.
      await Promise.race([transport.terminateSession().catch(() => undefined), late]);
      await transport.close();
    },
  };
}
