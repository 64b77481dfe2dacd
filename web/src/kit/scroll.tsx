import type { ReactNode } from "react";

interface Props {
  readonly label: string;
  readonly className?: string;
  readonly children: ReactNode;
}

/** What may be wider than the page scrolls by itself, with keys too: a region with a name and a tab stop. */
export function Scroll({ label, className = "", children }: Props) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by itself, so keys must reach it
    <section className={`scroll ${className}`.trim()} aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
