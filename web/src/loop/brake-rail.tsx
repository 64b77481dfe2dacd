import type { Brake } from "../api/contract";
import { useNow } from "../app/use-page";
import { Section } from "../kit/document";
import { State } from "../kit/mark";
import { count, counted, measured } from "../words/number";
import { moment, readTime } from "../words/time";
import { onLogRail, railStart } from "./geometry";
import { brakeState, eValue } from "./sentences";

const LEFT = 6;
const LENGTH = 360;

function Rail({ brake }: { readonly brake: Brake }) {
  const { e_value, stops_at, warns_at } = brake;
  const start = railStart(warns_at, stops_at);
  const at = LEFT + LENGTH * onLogRail(e_value, start, stops_at);
  const warns = LEFT + LENGTH * onLogRail(warns_at, start, stops_at);
  const end = LEFT + LENGTH;
  const label = `e-value ${eValue(e_value)} on a scale from ${measured(start)} to ${measured(stops_at)}; warns at ${measured(warns_at)}, stops at ${measured(stops_at)}`;
  const anchor = at < 60 ? "start" : at > end - 60 ? "end" : "middle";
  const textAt = anchor === "start" ? LEFT - 4 : anchor === "end" ? end + 4 : at;
  return (
    <svg className="rail" viewBox="0 0 372 46" role="img" aria-label={label}>
      <line x1={LEFT} x2={end} y1="22" y2="22" className="way" />
      <line x1={LEFT} x2={at} y1="22" y2="22" className="gone" />
      <line x1={warns} x2={warns} y1="14" y2="30" className="warns" />
      <line x1={end} x2={end} y1="14" y2="30" className="stops" />
      <circle cx={at} cy="22" r="6" className="knob" />
      <text className="tb" x={textAt} y="10" textAnchor={anchor}>
        e-value {eValue(e_value)}
      </text>
      <text x="2" y="44">
        {measured(start)}
      </text>
      <text x={warns} y="44" textAnchor="middle">
        warns at {measured(warns_at)}
      </text>
      <text x="370" y="44" textAnchor="end">
        stops at {measured(stops_at)}
      </text>
    </svg>
  );
}

/** The brake: how strong the evidence of too many errors is, against the two lines that matter. */
export function BrakeRail({ brake, children }: { readonly brake: Brake | null; readonly children: React.ReactNode }) {
  const now = useNow(60_000);
  if (brake === null) {
    return (
      <Section title="Brake">
        <p className="soft">No certificate is in force, so nothing is automatic and nothing can be braked.</p>
        <div className="brakeline">{children}</div>
      </Section>
    );
  }
  const state = brakeState(brake);
  const since = readTime(brake.since);
  const say = `${counted(brake.audits, "audit")}, ${count(brake.wrong)} wrong${since === null ? "" : ` since ${moment(since, { now })}`}`;
  return (
    <Section title="Brake" say={<span className="num">{say}</span>}>
      <Rail brake={brake} />
      <div className="brakeline">
        <State of={state.state}>{state.text}</State>
        {children}
      </div>
    </Section>
  );
}
