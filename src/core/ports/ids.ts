/** Makes names nobody can guess. */
export interface IdSource {
  /** A UUIDv7: sorts by the time it was made (RFC 9562 section 5.7). */
  uuid<Id extends string>(): Id;
  /** A random integer in 1 .. 2^53-1 for protocols whose ids are integers. Random, because a sequence tells counts and can be walked. */
  number(): number;
}
