import type { ContentId } from '../ids.ts';

/** Bytes that have come in and lie in a file of this machine until they are kept or discarded. */
export interface ReceivedFile {
  /** An absolute path, whose name says nothing about what is in it. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** SHA-256 in hexadecimal digits. */
  readonly digest: string;
  /** Removes the file; nothing to do once it is kept. */
  discard(): Promise<void>;
}

/** Keeps the bytes of files, each under an id that is used once. Whose they are, and which of them are still wanted, is the store's to know. */
export interface BlobStore {
  /**
   * Writes what comes, as fast as the disk takes it. Rejects with what ends the source early, or the signal's reason, and leaves nothing then.
   * The source must end when the signal aborts.
   */
  receive(source: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<ReceivedFile>;
  /** The bytes are on disk when it resolves. */
  keep(id: ContentId, file: ReceivedFile): Promise<void>;
  /** The bytes in order; null when nothing is kept under that id. What is removed meanwhile is given to its end or breaks off with an error. */
  open(id: ContentId): Promise<AsyncIterable<Uint8Array> | null>;
  /** Idempotent. */
  remove(id: ContentId): Promise<void>;
  /** Removes received files that a crash has left behind. */
  removeLeftovers(): Promise<void>;
  close(): Promise<void>;
}
