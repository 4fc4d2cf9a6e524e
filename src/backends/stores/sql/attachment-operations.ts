import type { AttachmentStore } from '../../../core/ports/attachment-store.ts';
import { addAttachment, attachmentsOf, findAttachment, listAttachments, removeAttachment } from './attachments.ts';
import { addPassages, announceContent, findPassages, forgetContents, readPassages, strayContents } from './contents.ts';
import type { Session } from './session.ts';

/** The store's operations on files and their text. */
export function attachmentOperations(session: Session): AttachmentStore {
  return {
    announceContent: (input) => announceContent(session, input),
    addPassages: (id, passages) => addPassages(session, id, passages),
    addAttachment: (input) => addAttachment(session, input),
    findAttachment: (owner, ref) => findAttachment(session, owner, ref),
    listAttachments: (owner, ref, page) => listAttachments(session, { owner, ref, ...page }),
    attachmentsOf: (threadKey) => attachmentsOf(session, threadKey),
    removeAttachment: (input) => removeAttachment(session, input),
    readPassages: (id, page) => readPassages(session, { id, ...page }),
    findPassages: (id, positions) => findPassages(session, id, positions),
    strayContents: (input) => strayContents(session, input),
    forgetContents: (ids) => forgetContents(session, ids),
  };
}
