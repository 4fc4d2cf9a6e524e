import type { CallToolResult, ContentBlock } from '@modelcontextprotocol/client';

/** Whoever asked cuts at 1 MB; what lies far behind that is not even put together. */
const ENOUGH_CHARACTERS = 1_100_000;

/** What a model can read of a result: its texts, and the names of what else there is. */
export function textOfResult({ content = [], structuredContent }: CallToolResult): string {
  let text = '';
  for (const block of content) {
    if (text.length > ENOUGH_CHARACTERS) break;
    text += `${text === '' ? '' : '\n'}${textOfBlock(block)}`;
  }
  // Older servers say it twice, others only here.
  if (text === '' && structuredContent !== undefined) text = JSON.stringify(structuredContent);
  return text.slice(0, ENOUGH_CHARACTERS);
}

function textOfBlock(block: ContentBlock): string {
  switch (block.type) {
    case 'text':
      return block.text;
    case 'image':
    case 'audio':
      return `[${block.type} ${block.mimeType}, ${bytesOf(block.data)} bytes: not shown]`;
    case 'resource_link':
      return `[resource ${block.name}: ${block.uri}]`;
    case 'resource': {
      const { resource } = block;
      if ('text' in resource) return `[resource ${resource.uri}]\n${resource.text}`;
      return `[resource ${resource.uri}, ${resource.mimeType ?? 'unknown type'}, ${bytesOf(resource.blob)} bytes: not shown]`;
    }
  }
}

function bytesOf(base64: string): number {
  return Math.floor((base64.replace(/=+$/, '').length * 3) / 4);
}
