/** Brings into the search what a store had before there was one. */
export interface SearchStore {
  /** Takes up to about `limit` messages; false when nothing is left to do. Several servers may do this at a time. */
  fillSearch(limit: number): Promise<boolean>;
}
