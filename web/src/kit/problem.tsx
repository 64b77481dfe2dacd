import { headline, toProblem } from "../api/problem";
import { Mark } from "./mark";

interface Shown {
  readonly error: unknown;
  readonly actions?: React.ReactNode;
}

/** An error in the words of the server: what happened, what to do, the code last. */
export function ProblemNotice({ error, actions }: Shown) {
  const problem = toProblem(error);
  const { head, rest } = headline(problem);
  const mark = problem.status === 0 ? "pending" : "warned";
  return (
    <div className={`notice problem ${mark}`} role="alert">
      <Mark of={mark} />
      <div>
        <p className="strong">{head}</p>
        {rest !== "" && <p>{rest}</p>}
        {problem.hint !== "" && <p>{problem.hint}</p>}
        <p className="code">{problem.code}</p>
        {actions !== undefined && <div className="actions">{actions}</div>}
      </div>
    </div>
  );
}
