/** How a server is reached. */
export type McpTransport =
  | {
      readonly kind: 'stdio';
      readonly command: string;
      readonly args: readonly string[];
      /** Given to the process beside PATH, HOME and what else every program needs. */
      readonly env: Readonly<Record<string, string>>;
      /** Null: the server's own directory. */
      readonly cwd: string | null;
    }
  | {
      readonly kind: 'http';
      readonly url: string;
      /** Sent with every request to it; may hold credentials. */
      readonly headers: Readonly<Record<string, string>>;
      readonly oauth: ClientCredentials | null;
    };

/** An OAuth client that acts for itself (RFC 6749 section 4.4). */
interface ClientCredentials {
  /** Of the authorization server; the secret goes to no other. */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope: string | null;
}

/** An MCP server as the operator has set it up. */
export interface McpServer {
  /** `A-Za-z0-9-`, so that the first `_` of a tool's name ends it. */
  readonly name: string;
  /** Whose runs may use it; null: everybody's. */
  readonly applications: readonly string[] | null;
  readonly transport: McpTransport;
}

/** Texts that must not get out: values of the process's environment and headers, the OAuth secret. */
export function secretsOf({ transport }: Pick<McpServer, 'transport'>): readonly string[] {
  if (transport.kind === 'stdio') return Object.values(transport.env);
  const headers = Object.values(transport.headers).flatMap((value) => [value, value.replace(/^\w+ +/, '')]);
  return transport.oauth === null ? headers : [...headers, transport.oauth.clientSecret];
}
