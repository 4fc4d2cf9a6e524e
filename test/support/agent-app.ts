import { afterEach } from 'vitest';
import type { Tool, ToolContext, ToolOutcome, ToolSource } from '../../src/core/ports/tool.ts';
import type { JsonObject } from '../../src/core/thread.ts';
import { startTestApp, type TestApp, type TestAppOptions } from './app.ts';
import { answer, type Step, startUpstream, type Upstream } from './upstream.ts';

/** An event of a run as native shows it. */
export type NativeEvent = Readonly<Record<string, unknown>> & { readonly type: string; readonly offset: number };

/** A call of a tool of a test's own, as it arrived. */
export interface MadeCall {
  readonly name: string;
  readonly args: JsonObject;
  readonly signal: AbortSignal;
}

/** A tool of the test's, which notes its calls and answers as it is told, at once with `done` unless told. */
export function testTool(
  name: string,
  calls: MadeCall[],
  { readOnly = false, ...options }: Partial<Pick<Tool, 'readOnly' | 'parameters' | 'description'>> & { readonly answer?: Answer } = {},
): Tool {
  const { answer: give = async () => ({ status: 'completed', result: 'done' }) } = options;
  return {
    name,
    description: options.description ?? `The tool ${name}`,
    parameters: options.parameters ?? { type: 'object', properties: { what: { type: 'string' } }, additionalProperties: false },
    readOnly,
    async call(args, context) {
      calls.push({ name, args, signal: context.signal });
      return give(args, context);
    },
  };
}

type Answer = (args: JsonObject, context: ToolContext) => Promise<ToolOutcome>;

/** A source of tools named `test`; what it lists may change. */
export function testSource(tools: Tool[], name = 'test'): ToolSource {
  return { name, list: async () => [...tools], close: async () => undefined };
}

/** The steps of an answer that asks for tools, behind a text if there is one. */
export function asking(calls: readonly { readonly id?: string; readonly name: string; readonly args?: unknown }[], text = ''): Step[] {
  const deltas = calls.map(({ id = '', name, args = {} }, index): Step => {
    const written = typeof args === 'string' ? args : JSON.stringify(args);
    return {
      delta: { tool_calls: [{ index, id: id || `model_${index}_${name}`, type: 'function', function: { name, arguments: written } }] },
    };
  });
  const [head, ...rest] = answer(text === '' ? [] : [text], { finish: 'tool_calls', usage: [10, 5] });
  const end = rest.splice(text === '' ? 0 : 1);
  return [...(head ? [head] : []), ...rest, ...deltas, ...end];
}

/** An agent of the settings, which may call all tools of the source `test` unless said otherwise. */
export function agentFile(
  but: Readonly<Record<string, unknown>> = {},
  settings: Readonly<Record<string, unknown>> = {},
): TestAppOptions['file'] {
  return {
    models: { 'gpt-4': { provider: 'openai', window: 8192 } },
    agents: { definitions: { helper: { instructions: 'Help with tools.', tools: ['test/*'], ...but } }, ...settings },
  };
}

/** A server whose model is scripted, and what tests about agents do with it through native. */
export interface AgentApp {
  readonly app: TestApp;
  readonly upstream: Upstream;
  /** What the model was sent with its nth request. */
  sent(index: number): readonly SentMessage[];
  /** Starts a run of the agent in a new thread, or in that one. */
  ask(text: string, more?: { readonly agent?: string; readonly thread?: string; readonly user?: string }): Promise<StartedRun>;
  /** All events of a run up to its end. */
  eventsOf(run: StartedRun): Promise<readonly NativeEvent[]>;
  /** The events of a run as soon as one of these types is among them. */
  until(run: StartedRun, type: string): Promise<readonly NativeEvent[]>;
  /** Decides about the call; gives the response. */
  decide(run: StartedRun, callId: string, body: object): Promise<Response>;
  show(run: StartedRun): Promise<Readonly<Record<string, unknown>>>;
  close(): Promise<void>;
}

interface SentMessage {
  readonly role: string;
  readonly content?: string;
  readonly tool_calls?: readonly { readonly id: string; readonly function: { readonly name: string; readonly arguments: string } }[];
}

export interface StartedRun {
  readonly id: string;
  readonly threadId: string;
  readonly user: string;
}

const POLL_MS = 15;

/** Starts such servers for the tests of one file, and closes them after each. */
export function agentApps(): (scripts: readonly (readonly Step[])[], options?: TestAppOptions) => Promise<AgentApp> {
  const open: AgentApp[] = [];
  afterEach(async () => {
    for (const app of open.splice(0)) await app.close();
  });
  return async (scripts, options = {}) => {
    const upstream = await startUpstream(...scripts);
    const env = { OPENAI_BASE_URL: upstream.baseUrl, ...options.env };
    const app = await startTestApp({ file: agentFile(), ...options, env });
    const opened = overApp(app, upstream);
    open.push(opened);
    return opened;
  };
}

/** The same over a server and a model that the test has started. */
export function overApp(app: TestApp, upstream: Upstream): AgentApp {
  const headers = ({ user }: Pick<StartedRun, 'user'>) => ({ 'x-user-id': user });
  let closed: Promise<void> | null = null;
  const json = async (response: Response) => JSON.parse(await response.text()) as Readonly<Record<string, unknown>>;

  async function eventsNow(run: StartedRun): Promise<{ data: readonly NativeEvent[]; ended: boolean }> {
    const events: NativeEvent[] = [];
    for (;;) {
      const path = `/polylogue/v1/runs/${run.id}/events?wait=false&after=${events.at(-1)?.offset ?? 0}`;
      const page = (await json(await app.send(path, { headers: headers(run) }))) as unknown as {
        data: readonly NativeEvent[];
        ended: boolean;
      };
      events.push(...page.data);
      if (page.ended || page.data.length === 0) return { data: events, ended: page.ended };
    }
  }

  async function untilEvents(run: StartedRun, enough: (page: { data: readonly NativeEvent[]; ended: boolean }) => boolean) {
    for (;;) {
      const page = await eventsNow(run);
      if (enough(page)) return page.data;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  return {
    app,
    upstream,
    sent: (index) => (upstream.requests[index]?.body as { messages: readonly SentMessage[] } | undefined)?.messages ?? [],
    async ask(text, { agent = 'helper', thread, user = 'ann' } = {}) {
      const made = thread ?? String((await json(await app.post('/polylogue/v1/threads', {}, headers({ user })))).id);
      const response = await app.post(`/polylogue/v1/threads/${made}/runs`, { text, agent }, headers({ user }));
      const body = await json(response);
      if (response.status !== 202) throw new Error(`${response.status} ${JSON.stringify(body)}`);
      return { id: String(body.id), threadId: made, user };
    },
    eventsOf: (run) => untilEvents(run, ({ ended }) => ended),
    until: (run, type) => untilEvents(run, ({ data, ended }) => ended || data.some((event) => event.type === type)),
    decide: (run, callId, body) => app.post(`/polylogue/v1/runs/${run.id}/approvals/${callId}`, body, headers(run)),
    show: async (run) => json(await app.send(`/polylogue/v1/runs/${run.id}`, { headers: headers(run) })),
    close() {
      closed ??= app.close().then(() => upstream.close());
      return closed;
    },
  };
}
