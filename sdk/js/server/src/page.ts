/** One page of a list. */
export interface Page<T> {
  list: T[];
  hasMore: boolean;
  /** Where the next page begins; absent: this is the last. */
  nextOffset?: number;
}

/** Which page of a list is wanted. */
export interface ListOptions {
  /** 1 to 100; 10 for a page by default, and 100 at a time when all are read. */
  limit?: number;
  /** Of the first; 0 to 1,000,000. */
  offset?: number;
}

/**
 * Reads page after page. What is added to the list meanwhile moves the pages:
 * an object may then be seen twice.
 */
export async function* all<T, F extends ListOptions>(filter: F | undefined, page: (filter: F) => Promise<Page<T>>): AsyncGenerator<T, void, undefined> {
  for (let offset = filter?.offset ?? 0; ; ) {
    const got = await page({ ...filter, limit: filter?.limit ?? 100, offset } as F);
    yield* got.list;
    if (!got.hasMore || got.list.length === 0) return;
    offset += got.list.length;
  }
}
