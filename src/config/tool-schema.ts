import { type TSchema, Type } from '../core/schema.ts';

const text = (description: string) => Type.String({ minLength: 1, maxLength: 4_096, description });

const named = <Entry extends TSchema>(pattern: string, entry: Entry, description: string) =>
  Type.Optional(Type.Record(Type.String({ pattern }), entry, { additionalProperties: false, description }));

const server = Type.Object(
  {
    applications: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 255 }), {
        maxItems: 1_000,
        description: 'The applications whose runs may use it; all when left out.',
      }),
    ),
    command: Type.Optional(text('The program that serves over its input and output; started when its tools are first needed.')),
    args: Type.Optional(Type.Array(Type.String({ maxLength: 4_096 }), { maxItems: 100, description: "The program's arguments." })),
    env: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 255 }), {
        maxItems: 100,
        description: 'Environment variables of this server that the program gets; of all others only those that every program needs.',
      }),
    ),
    cwd: Type.Optional(text("The program's directory, relative to this file; this file's own when left out.")),
    url: Type.Optional(text('The address of a server over streamable HTTP; it may be reached wherever it is.')),
    tokenEnv: Type.Optional(text('The environment variable that holds a token, sent as "Authorization: Bearer".')),
    headers: named('^[A-Za-z0-9-]{1,100}$', text('The environment variable that holds its value.'), 'Further headers by name.'),
    oauth: Type.Optional(
      Type.Object(
        {
          issuer: text('The authorization server, as it calls itself; the secret goes to no other.'),
          clientIdEnv: text("The environment variable that holds the client's id."),
          clientSecretEnv: text("The environment variable that holds the client's secret."),
          scope: Type.Optional(text('What to ask for.')),
        },
        { additionalProperties: false, description: 'OAuth client credentials, in place of a token.' },
      ),
    ),
  },
  { additionalProperties: false, description: 'Where tools come from: a command or a url.' },
);

/** The section `mcp`: servers by the name that their tools' names begin with. */
export const mcpSchema = named('^[A-Za-z0-9][A-Za-z0-9-]{0,31}$', server, 'MCP servers by name; their tools are called <name>_<tool>.');

/** The section `tools`. */
export const toolsSchema = Type.Object(
  {
    httpFetch: Type.Optional(
      Type.Boolean({ description: 'Whether agents that list http_fetch can read public web pages.', default: false }),
    ),
  },
  { additionalProperties: false, description: 'Built-in tools.' },
);

/** The section `egress`. */
export const egressSchema = Type.Object(
  {
    allow: Type.Optional(
      Type.Array(text('An address, a range such as 10.1.0.0/16, or a host with or without a port.'), {
        maxItems: 1_000,
        description:
          'What tools may reach beyond the public Internet: addresses, ranges such as 10.1.0.0/16, hosts such as wiki.internal:8080.',
        default: [],
      }),
    ),
  },
  { additionalProperties: false, description: 'Where requests may go whose addresses models choose.' },
);
