/** What shows the page: a dialog or a window. */
export interface Surface {
  /** The window whose messages count; null while there is none. */
  window(): Window | null;
  /** Shows the checked URL. */
  go(href: string): void;
  /** The page has said that it is there. */
  loaded(): void;
  /** Takes it away. */
  remove(): void;
}
