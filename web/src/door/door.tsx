import { Brand } from "../kit/mark";

const WHAT = (
  <p className="soft">
    Your model decides what its certificate covers. People decide the rest, and the journal proves both.
  </p>
);

/** The frame of pages before a project: what this is at the left, one thing to do at the right. */
export function Door({
  aside = WHAT,
  children,
}: {
  readonly aside?: React.ReactNode;
  readonly children: React.ReactNode;
}) {
  return (
    <div className="door">
      <header className="aside">
        <span className="brand">
          <Brand />
          Handrail
        </span>
        {aside}
        <p className="small faint">Everything stays on this machine. Handrail sends no usage data.</p>
      </header>
      <main>{children}</main>
    </div>
  );
}

interface Asked {
  readonly label: string;
  readonly name: string;
  readonly type?: "text" | "email" | "password";
  readonly autoComplete: string;
  readonly note?: string;
}

/** A labelled field of a form; the browser's own check says what is missing. */
export function FormField({ label, name, type = "text", autoComplete, note }: Asked) {
  return (
    <div className="asked">
      <label className="lbl" htmlFor={name}>
        {label}
      </label>
      <input
        id={name}
        className="field"
        name={name}
        type={type}
        autoComplete={autoComplete}
        required
        aria-describedby={note ? `${name}-note` : undefined}
      />
      {note !== undefined && (
        <span id={`${name}-note`} className="small faint">
          {note}
        </span>
      )}
    </div>
  );
}

/** The fields of a submitted form as text. */
export function textsOf(form: HTMLFormElement): (name: string) => string {
  const data = new FormData(form);
  return (name) => {
    const value = data.get(name);
    return typeof value === "string" ? value : "";
  };
}
