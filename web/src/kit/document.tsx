import { useId } from "react";

interface Titled {
  readonly title: string;
  readonly say?: React.ReactNode;
  readonly className?: string;
  readonly children: React.ReactNode;
}

/** A section: its title on a hairline, the facts of the title at the right end. No box. */
export function Section({ title, say, className = "", children }: Titled) {
  const id = useId();
  return (
    <section className={`sec ${className}`} aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        {say !== undefined && <span className="say">{say}</span>}
      </header>
      {children}
    </section>
  );
}

/** A framed document: certificate, question. Never a frame in a frame. */
export function Document({ title, say, className = "", children }: Titled) {
  const id = useId();
  return (
    <section className={`doc ${className}`} aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        {say}
      </header>
      {children}
    </section>
  );
}

/** What is so, why, and what to do next. */
export function Empty({
  title,
  children,
  actions,
}: {
  readonly title: string;
  readonly children?: React.ReactNode;
  readonly actions?: React.ReactNode;
}) {
  return (
    <div className="empty">
      <b>{title}</b>
      {children}
      {actions !== undefined && <div className="actions">{actions}</div>}
    </div>
  );
}

/** Facts as a list of terms; a fact that is missing says so. */
export function Facts({
  facts,
  className = "",
}: {
  readonly facts: readonly { readonly term: string; readonly fact: React.ReactNode }[];
  readonly className?: string;
}) {
  return (
    <dl className={`kv num ${className}`}>
      {facts.map(({ term, fact }) => (
        <div key={term}>
          <dt>{term}</dt>
          <dd>{fact}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A bar drawn to a share of its track; the sentence beside it carries the number. */
export function Bar({ share, by = "machine" }: { readonly share: number; readonly by?: "machine" | "human" }) {
  const width = Math.max(0, Math.min(1, share)) * 100;
  return (
    <svg className="track" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
      <rect className={by === "human" ? "fh" : "fm"} width={width} height="8" />
    </svg>
  );
}

/** Three quiet lines where rows will be; shown only when loading takes longer than 0.4 s. */
export function Wait({ what }: { readonly what: string }) {
  return (
    <div className="wait" role="status">
      <i aria-hidden="true" />
      <i aria-hidden="true" />
      <i aria-hidden="true" />
      <p className="small soft">Loading {what}</p>
    </div>
  );
}
