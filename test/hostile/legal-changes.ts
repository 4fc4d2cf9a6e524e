import type { Mutation } from './examples.ts';
import type { Route } from './routes.ts';

type Legal = readonly (readonly [path: RegExp, changes: readonly string[]])[];

const left = ['missing', 'null'];
const text = ['a string', 'a huge string'];
const lists = ['an array', 'an empty array'];

const threadFields: Legal = [
  [/./, ['missing']],
  [/^metadata$/, ['an object']],
  [/^metadata\./, [...mostly('a huge string')]],
  [/^tags$/, lists],
  [/^tags\.0$/, ['a string']],
  [/^archived$/, ['a boolean']],
  [/^(title|agent)$/, ['null', 'a string']],
  [/^model$/, ['null']],
];

function mostly(except: string): string[] {
  const scalars = ['null', 'a number', 'a fraction', 'a negative number', 'a large number', 'a boolean'];
  const others = ['an object', ...lists, 'an empty string', ...text, 'too many'];
  return [...scalars, ...others].filter((change) => change !== except);
}

const graphRun: Legal = [
  [/^(user_id|thread_id|language|agent|scenario_context)$/, left],
  [/^message$/, text],
  [/^language$/, ['a string']],
  [/^scenario_context$/, ['an object', 'a string', 'an empty string']],
  [/^scenario_context\./, ['missing', ...mostly('a huge string')]],
];

const promptFields: Legal = [
  [/^(title|content|scenario|description)$/, ['a string']],
  [/^description$/, ['missing', 'null', 'an empty string']],
  [/^metadata$/, ['missing', 'an object']],
  [/^metadata\./, ['missing', ...mostly('a huge string')]],
];

const agentFields: Legal = [
  [/^(description|instructions|greeting|model|tools|rules|step_limit)$/, ['missing']],
  [/^(greeting|model)$/, ['null']],
  [/^(description|instructions|greeting)$/, ['a string']],
  [/^(description|instructions)$/, ['an empty string']],
  [/^tools$/, lists],
  [/^rules$/, ['an empty array']],
  [/^(tools|rules)\.0$/, ['missing']],
  [/^step_limit$/, ['a number']],
];

const previewed: Legal = [
  [/^content$/, ['a string']],
  [/^variables$/, ['missing', 'an object']],
  [
    /^variables\./,
    ['missing', 'a string', 'an empty string', 'a number', 'a fraction', 'a negative number', 'a large number', 'a boolean'],
  ],
];

const sessionTags: Legal = [
  [/^tags$/, ['an array']],
  [/^tags\.0$/, ['a string']],
];

const graphThread: Legal = [
  [/^(user_id|metadata)$/, left],
  [/^metadata$/, ['an object']],
  [/^metadata\./, ['missing', ...mostly('a huge string')]],
];

/** Changes of an example after which the route still takes it; they are not sent. */
const legal: Readonly<Record<string, Legal>> = {
  'native POST /threads': threadFields,
  'native PATCH /threads/:thread_id': threadFields,
  'native POST /threads/:thread_id/runs': [
    [/^(parent_id|model|agent|temperature|max_tokens)$/, ['missing']],
    [/^parent_id$/, ['null']],
    [/^temperature$/, ['a fraction']],
    [/^max_tokens$/, ['a number']],
    [/^(text|agent|message\.parts\.0\.text)$/, ['a string']],
  ],
  'native POST /tokens': [
    [/^expires_in$/, ['missing']],
    [/^user_id$/, ['a string']],
  ],
  'native POST /keys': [
    [/^(scopes|dialects|user_id|expires_at)$/, ['missing']],
    [/^(dialects|user_id|expires_at)$/, ['null']],
    [/^(name|user_id)$/, ['a string']],
  ],
  'native POST /agents': agentFields,
  'native PATCH /agents/:agent_id': [[/^(name|version)$/, ['missing']], [/^version$/, ['a number']], ...agentFields],
  'native POST /runs/:run_id/approvals/:call_id': [
    [/^arguments$/, [...left, 'an object', 'a string', 'an empty string']],
    [/^arguments\./, ['missing', ...mostly('')]],
  ],
  'native POST /prompts': promptFields,
  'native PATCH /prompts/:prompt_id': [[/./, ['missing']], ...promptFields],
  'native POST /prompts/preview': previewed,
  'chat-sessions POST /prompts': [[/^(description|metadata)$/, left], ...promptFields],
  'chat-sessions PUT /prompts/:prompt_id': [[/^(title|content|scenario|description|metadata)$/, left], ...promptFields],
  'chat-sessions POST /prompts/preview': [[/^(prompt_id|content|variables)$/, left], [/^prompt_id$/, ['a number']], ...previewed],
  'levia POST /': [[/^intent$/, text]],
  'chat-sessions POST /stream': [
    [/^(stream|temperature|max_tokens|tags|session_id)$/, left],
    [/^model$/, ['a string']],
    [/^messages\.0\.content$/, [...text, 'an empty string']],
    [/^stream$/, ['a boolean']],
    [/^temperature$/, ['a fraction']],
    [/^max_tokens$/, ['a number']],
    [/^tags$/, lists],
    [/^tags\.0$/, ['a string', 'missing']],
  ],
  'chat-sessions POST /sessions/:session_id/tags': sessionTags,
  'chat-sessions DELETE /sessions/:session_id/tags': sessionTags,
  'graph POST /graph/invoke': graphRun,
  'graph POST /graph/stream': graphRun,
  'graph POST /threads': graphThread,
  'graph POST /graph/threads': graphThread,
  'user-chat POST /chat': [
    [/^conversation_id$/, [...left, 'an empty string']],
    [/^message\.content$/, ['a string']],
    [/^message\.role$/, ['missing']],
  ],
  'user-chat POST /conversations': [[/^title$/, [...left, 'a string']]],
};

/** Whether a changed body is one that the route takes. */
export function isLegal({ key }: Route, { path, change }: Mutation): boolean {
  return (legal[key] ?? []).some(([place, changes]) => place.test(path) && changes.includes(change));
}
