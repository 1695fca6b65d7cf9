/** React's way to open a link of a Latchkey server. */
import { create, type Handle, type Options } from "@latchkey/embed";
import { createElement, useCallback, useEffect, useRef, useState, type ButtonHTMLAttributes, type ReactElement } from "react";

export type { Close, Labels, Mode, Options, Success, User } from "@latchkey/embed";

/** A link as a component holds it. */
export interface LatchkeyLink {
  /** Opens it; for a popup inside a click. */
  open: () => void;
  /** Asks the page to leave. */
  close: () => void;
  /** The page is there. */
  ready: boolean;
}

/**
 * useLatchkeyLink opens a link with the options of the last rendering: callbacks may change at any time. The link is
 * taken away when the component is.
 */
export function useLatchkeyLink(options: Options): LatchkeyLink {
  const latest = useRef(options);
  const handle = useRef<Handle | null>(null);
  const [ready, setReady] = useState(false);
  useEffect(() => {
    latest.current = options;
  });
  useEffect(() => () => {
    handle.current?.destroy();
    handle.current = null;
  }, []);
  const open = useCallback(() => {
    handle.current?.destroy();
    setReady(false);
    const now = latest.current;
    handle.current = create({
      ...now,
      onSuccess: (success) => {
        setReady(false);
        latest.current.onSuccess?.(success);
      },
      onClose: (close) => {
        setReady(false);
        latest.current.onClose?.(close);
      },
      onLoad: () => {
        setReady(true);
        latest.current.onLoad?.();
      },
      onInvalidSession: () => {
        setReady(false);
        latest.current.onInvalidSession?.();
      },
      onMessage: (event, metadata) => latest.current.onMessage?.(event, metadata),
    });
    handle.current.open();
  }, []);
  const close = useCallback(() => handle.current?.close(), []);
  return { open, close, ready };
}

/** What a LatchkeyButton takes: the link, and what any button does. */
export type LatchkeyButtonProps = Omit<ButtonHTMLAttributes<HTMLButtonElement>, "onClick"> & { link: Options };

/** LatchkeyButton is a button that opens a link. */
export function LatchkeyButton({ link, children, ...rest }: LatchkeyButtonProps): ReactElement {
  const { open } = useLatchkeyLink(link);
  return createElement("button", { type: "button", ...rest, onClick: open }, children);
}
