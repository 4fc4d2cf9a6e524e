import { AIMessage } from '@langchain/core/messages';
import { Annotation, END, interrupt, type LangGraphRunnableConfig, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';

/** Drafts a release note in three rounds, asks a person before it is published, and chats about everything else. */
const State = Annotation.Root({
  ...MessagesAnnotation.spec,
  draft: Annotation<string>,
  rounds: Annotation<number>({ reducer: (_before, after) => after, default: () => 0 }),
});
type State = typeof State.State;

const ROUNDS = 3;

function questionIn({ messages }: State): string {
  return messages.findLast((message) => message.getType() === 'human')?.text ?? '';
}

async function read() {
  return {};
}

function route(state: State): 'draft' | 'chat' | 'broken' {
  const question = questionIn(state).toLowerCase();
  if (question.includes('break')) return 'broken';
  return question.includes('release note') ? 'draft' : 'chat';
}

/** Each round is told as it is written, by the graph's own writer. */
async function draft({ rounds }: State, { writer }: LangGraphRunnableConfig) {
  const round = rounds + 1;
  writer?.(`Draft ${round}. `);
  return { rounds: round, draft: `Release note, draft ${round}` };
}

function again({ rounds }: State): 'draft' | 'approve' {
  return rounds < ROUNDS ? 'draft' : 'approve';
}

/** Waits for a person: true or a better text publishes, false does not. */
async function approve(state: State) {
  const answer: unknown = interrupt({ question: 'Publish this release note?', draft: state.draft });
  if (answer === false) return { draft: '' };
  return typeof answer === 'string' ? { draft: answer } : {};
}

/** Returns a message as a whole. */
async function publish(state: State) {
  return { messages: [new AIMessage(state.draft === '' ? 'Nothing was published.' : `Published: ${state.draft}`)] };
}

/** Asks whatever model it is given. */
async function chat({ messages }: State, { configurable }: LangGraphRunnableConfig) {
  return { messages: [await configurable?.model().invoke(messages)] };
}

async function broken(): Promise<never> {
  throw new Error('The file /etc/secret cannot be read');
}

export const graph = new StateGraph(State)
  .addNode('read', read)
  .addNode('draft_note', draft)
  .addNode('approve', approve)
  .addNode('publish', publish)
  .addNode('chat', chat)
  .addNode('broken', broken)
  .addEdge(START, 'read')
  .addConditionalEdges('read', route, { draft: 'draft_note', chat: 'chat', broken: 'broken' })
  .addConditionalEdges('draft_note', again, { draft: 'draft_note', approve: 'approve' })
  .addEdge('approve', 'publish')
  .addEdge('publish', END)
  .addEdge('chat', END)
  .addEdge('broken', END);
