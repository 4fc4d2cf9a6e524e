/** The kinds of documents whose text can be read. */
export type DocumentType = 'pdf' | 'docx' | 'html' | 'markdown' | 'csv' | 'text';

/** What a document says, page by page; formats without pages are one page. */
export interface ExtractedText {
  /** NFC, lines ended by `\n`, without NUL and lone surrogates. */
  readonly pages: readonly string[];
  /** Pages of the document, also those beyond the ones that were read. */
  readonly pageCount: number;
  /** Whether a bound on pages or characters left something out. */
  readonly truncated: boolean;
}

/** Why a document's text cannot be had. */
export type ExtractionFailure = 'encrypted' | 'damaged' | 'too_complex' | 'no_text';

/** An expected failure of an extraction. */
export class ExtractionError extends Error {
  override readonly name = 'ExtractionError';
  readonly reason: ExtractionFailure;

  constructor(reason: ExtractionFailure) {
    super(`The text cannot be read: ${reason}`);
    this.reason = reason;
  }
}

/** One document to read. */
interface ExtractionRequest {
  readonly file: string;
  readonly type: DocumentType;
  readonly signal: AbortSignal;
  /** Whose document it is: where several wait, owners take turns. */
  readonly owner?: string;
}

/** Reads the text of documents that strangers made, in a cage that bounds time and memory. */
export interface Extractor {
  /** Tells the kind by content, the name only to tell kinds of text apart; null when it is none of them. `file` is a path on this machine. */
  detect(document: { readonly file: string; readonly name: string }): Promise<DocumentType | null>;
  /** Rejects with an `ExtractionError`, also where there is nothing to read, with `overloaded` when too many wait, or with the signal's reason. */
  extract(document: ExtractionRequest): Promise<ExtractedText>;
  /** Ends what runs. */
  close(): Promise<void>;
}
