import { useState } from "react";
import type { Task } from "../api/contract";
import { Key } from "../kit/keycap";
import { dots } from "../loop/geometry";
import { chanceSentence, dotsRight } from "../words/chance";
import { approvable, type Form, formOf, type Given, sawPrediction, takes, titleOf, typedValue } from "./answer";

/** The AI answer: words of chance first, then dots of 100. Sealed or absent says so. */
export function AiAnswer({ task }: { readonly task: Task }) {
  if (sawPrediction(task)) {
    const { score, value, words } = task.prediction;
    const right = dotsRight(score);
    return (
      <section className="ai" aria-labelledby="ai">
        <h2 id="ai">AI answer</h2>
        <p className="big">{titleOf(task.question.options, value)}</p>
        <p>{chanceSentence(score, words)}</p>
        {task.own_answer !== null && (
          <p className="strong">
            Your own answer: {titleOf(task.question.options, task.own_answer)}. Keep it or switch.
          </p>
        )}
        <svg className="dots" viewBox="0 0 399 15" role="img" aria-label={`score ${right} of 100`}>
          <path className="yes" d={dots(0, right)} />
          <path className="no" d={dots(right, 100)} />
        </svg>
        <p className="small faint under">
          The model's own estimate, set on the labels it learned from. It says nothing about items of another kind.
        </p>
      </section>
    );
  }
  return task.blind || task.first_needed ? (
    <section className="sealed" aria-labelledby="ai">
      <h2 id="ai">AI answer</h2>
      <p className="strong">Sealed until your answer is stored</p>
      <p className="soft">
        It is not on this page. People who see an answer first tend to follow it, also when it is wrong.
      </p>
    </section>
  ) : (
    <section className="sealed" aria-labelledby="ai">
      <h2 id="ai">AI answer</h2>
      <p className="soft">None comes with this task.</p>
    </section>
  );
}

interface Giving {
  readonly task: Task;
  readonly busy: boolean;
  readonly onGive: (given: Given) => void;
}

function Options({ task, busy, onGive }: Giving) {
  const ai = sawPrediction(task) ? String(task.prediction.value) : null;
  return (
    <fieldset className="opts" aria-labelledby="question">
      {task.question.options.map(({ value, title }, index) => (
        <button
          key={value}
          type="button"
          className="opt"
          disabled={busy}
          onClick={() => onGive({ does: "value", value })}
        >
          {index < 9 ? <Key>{String(index + 1)}</Key> : <span />}
          <span>{title}</span>
          {value === ai && <span className="by">AI answer</span>}
        </button>
      ))}
    </fieldset>
  );
}

function Typed({ task, form, busy, onGive }: Giving & { readonly form: Form }) {
  const [text, setText] = useState("");
  const value = typedValue(form, text);
  return (
    <form
      className="typed"
      onSubmit={(event) => {
        event.preventDefault();
        if (value !== null) onGive({ does: "value", value });
      }}
    >
      <input
        className="field"
        aria-labelledby="question"
        inputMode={form === "number" ? "decimal" : "text"}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <button type="submit" className="btn" disabled={busy || value === null}>
        Store answer
      </button>
      <p className="small faint">
        {form === "number" && text !== "" && value === null ? `“${text}” is not a number.` : task.question.name}
      </p>
    </form>
  );
}

function Signature({ busy, onGive }: Giving) {
  return (
    <fieldset className="opts" aria-labelledby="question">
      <button type="button" className="opt" disabled={busy} onClick={() => onGive({ does: "sign" })}>
        <Key>1</Key>
        <span>Sign</span>
      </button>
      <button type="button" className="opt" disabled={busy} onClick={() => onGive({ does: "refuse" })}>
        <Key>2</Key>
        <span>Refuse</span>
      </button>
    </fieldset>
  );
}

function Unknown({ task }: { readonly task: Task }) {
  return (
    <div className="empty">
      <b>This task has a question we cannot show</b>
      <p>
        Question “{task.question.name}” of kind “{task.kind}” asks in the form “{task.question.type}”. Return it; it
        stays open for a page that can.
      </p>
      <span className="code">ui.unknown_question</span>
    </div>
  );
}

/** The question and every way to answer it, all of equal size and weight. */
export function Question(giving: Giving) {
  const { task } = giving;
  const form = formOf(task);
  return (
    <section>
      <h2 className="q" id="question">
        {form === "signature" ? "May this model become the champion?" : task.question.title || task.question.name}
      </h2>
      {form === "options" && <Options {...giving} />}
      {form === "signature" && <Signature {...giving} />}
      {(form === "number" || form === "text") && <Typed {...giving} form={form} />}
      {form === "unknown" && <Unknown task={task} />}
      {task.guideline && <p className="small soft guide">{task.guideline}</p>}
    </section>
  );
}

/** Approve, escalate, cannot say, return: only those that answer this kind of task. */
export function Verbs({ task, busy, onGive, onReturn }: Giving & { readonly onReturn: () => void }) {
  return (
    <section className="verbs" aria-label="Other ways to answer">
      {approvable(task) && (
        <button type="button" className="btn" disabled={busy} onClick={() => onGive({ does: "approve" })}>
          Approve “{titleOf(task.question.options, task.prediction.value)}” <Key>A</Key>
        </button>
      )}
      {takes(task, "escalate") && (
        <button type="button" className="btn" disabled={busy} onClick={() => onGive({ does: "escalate" })}>
          Escalate <Key>E</Key>
        </button>
      )}
      {takes(task, "abstain") && (
        <button type="button" className="btn" disabled={busy} onClick={() => onGive({ does: "abstain" })}>
          Cannot say <Key>N</Key>
        </button>
      )}
      <button type="button" className="btn" disabled={busy} onClick={onReturn}>
        Return <Key>S</Key>
      </button>
    </section>
  );
}
