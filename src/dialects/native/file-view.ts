import { type Attachment, mediaTypeOf } from '../../core/attachment.ts';
import { formatTime } from '../../http/time.ts';

/** A file as callers see it. */
export function toFileView(file: Attachment): object {
  return {
    id: file.id,
    thread_id: file.threadId,
    name: file.name,
    media_type: mediaTypeOf(file.type),
    size: file.size,
    sha256: file.digest,
    page_count: file.pageCount,
    characters: file.characters,
    truncated: file.truncated,
    created_at: formatTime(file.createdAt),
  };
}
