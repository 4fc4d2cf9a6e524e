import { dereference, isJson, type Json } from './json-schema.ts';

/** An operation of an OpenAPI description, all references followed. */
export interface DescribedOperation {
  readonly id: string;
  readonly method: string;
  /** With `{name}` for parameters. */
  readonly path: string;
  readonly tag: string;
  readonly isPublic: boolean;
  /** Its bodies are multipart forms. */
  readonly isForm: boolean;
  readonly parameters: readonly DescribedParameter[];
  /** Documented bodies by name; empty for an operation without a body. */
  readonly bodies: Readonly<Record<string, Json>>;
  readonly responses: Readonly<Record<string, DescribedResponse>>;
}

export interface DescribedParameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly schema: Json;
  readonly example?: unknown;
}

interface DescribedResponse {
  readonly headers: readonly string[];
  readonly content: Readonly<Record<string, DescribedContent>>;
  readonly links: Readonly<Record<string, DescribedLink>>;
}

export interface DescribedContent {
  readonly schema: unknown;
  readonly example?: unknown;
  readonly examples?: Readonly<
    Record<string, { readonly value: unknown; readonly 'x-request'?: RequestChange; readonly 'x-given'?: string }>
  >;
  readonly 'x-frame-data'?: unknown;
}

export interface DescribedLink {
  readonly operationId: string;
  readonly parameters?: Json;
  readonly requestBody?: Json;
}

/** How to change a good request to get an error. */
export interface RequestChange {
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Json;
  /** Fields of the body; the others stay. */
  readonly fields?: Json;
  readonly text?: string;
}

/** All operations of a description. */
export function operationsOf(document: Json): readonly DescribedOperation[] {
  const paths = document.paths as Readonly<Record<string, Readonly<Record<string, Json>>>>;
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => toOperation(method.toUpperCase(), path, dereference(operation, document) as Json)),
  );
}

function toOperation(method: string, path: string, operation: Json): DescribedOperation {
  const media: Json = isJson(operation.requestBody) ? (operation.requestBody.content as Json) : {};
  const content = media['application/json'] ?? media['multipart/form-data'];
  const examples = isJson(content) ? (content.examples as Readonly<Record<string, { value: Json }>>) : {};
  const security = operation.security as readonly Json[];
  const responses = operation.responses as Readonly<Record<string, Json>>;
  return {
    id: String(operation.operationId),
    method,
    path,
    tag: String((operation.tags as readonly string[])[0]),
    isForm: 'multipart/form-data' in media,
    isPublic: security.length === 0 || security.some((scheme) => Object.keys(scheme).length === 0),
    parameters: operation.parameters as readonly DescribedParameter[],
    bodies: Object.fromEntries(Object.entries(examples).map(([name, { value }]) => [name, value])),
    responses: Object.fromEntries(
      Object.entries(responses).map(([status, { headers = {}, content: media = {}, links = {} }]) => [
        status,
        {
          headers: Object.keys(headers as Json).map((name) => name.toLowerCase()),
          content: media as DescribedResponse['content'],
          links: links as DescribedResponse['links'],
        },
      ]),
    ),
  };
}
