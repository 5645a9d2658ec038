import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** A question in front of the page. Escape closes it; the keyboard stays in it; focus goes back to where it was. */
export function Dialog({ title, onClose, children }: DialogProps) {
  const box = useRef<HTMLDialogElement>(null);
  const isOpen = useRef(true);
  // An effect comes after the browser has drawn: a key pressed until then would be the page's, and leave the job.
  useLayoutEffect(() => {
    const dialog = box.current;
    dialog?.showModal();
    return () => {
      isOpen.current = false;
      // It gives the focus back; an element that is only taken away does not.
      dialog?.close();
    };
  }, []);
  const close = () => {
    if (isOpen.current) onClose();
  };
  return (
    <dialog ref={box} aria-labelledby="dialogTitle" onClose={close}>
      <h2 id="dialogTitle">{title}</h2>
      {children}
    </dialog>
  );
}
