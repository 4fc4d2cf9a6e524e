/** Makes a creation repeatable for 24 hours: same key and fingerprint give the first result again. Scope: the owner. */
export interface Idempotency {
  readonly key: string;
  /** Hash of route and body; another one under the same key is a mistake of the caller. */
  readonly fingerprint: string;
}
