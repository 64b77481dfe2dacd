import { Link } from "@tanstack/react-router";
import type { Loop, Stage } from "../api/contract";
import { placeOf } from "../app/places";
import { State } from "../kit/mark";
import { ring, type Ring as Shape } from "./geometry";
import { leading, leadingFigure, splitSentence } from "./sentences";

/** The stages are written beside the circle, so a drawing is as wide as its circle; loop.css holds the same radii. */
const WIDE = ring(5, { width: 384, radius: 170 });
const COMPACT = ring(5, { width: 300, height: 424, radius: 128 });
const CALLS = new Set(["warned", "braked", "blocked"]); // the states whose way onward is coloured

function Drawing({
  shape,
  className,
  stages,
}: {
  readonly shape: Shape;
  readonly className: string;
  readonly stages: readonly Stage[];
}) {
  const label = `Five stages in a ring: ${stages.map(({ title, state_text }) => `${title}, ${state_text}`).join("; ")}`;
  return (
    <svg
      className={className}
      width={shape.width}
      height={shape.height}
      viewBox={`0 0 ${shape.width} ${shape.height}`}
      role="img"
      aria-label={label}
    >
      {stages.map(({ key, state }, index) => {
        const arc = shape.arcs[index];
        const tone = CALLS.has(state) ? state : "quiet";
        return arc === undefined ? null : (
          <g key={key} className={`arc ${tone}`}>
            <path d={arc.line} />
            <path d={arc.head} className="head" />
          </g>
        );
      })}
      {stages.map(({ key, state }, index) => {
        const at = shape.nodes[index];
        return at === undefined ? null : (
          <g key={key} className={`node ${state}`}>
            <circle cx={at.x} cy={at.y} r="14" />
            <text x={at.x} y={at.y + 4} textAnchor="middle" className="tb">
              {index + 1}
            </text>
          </g>
        );
      })}
    </svg>
  );
}

function StageTitle({ stage, project }: { readonly stage: Stage; readonly project: string }) {
  const place = placeOf(stage.href, project);
  if (place === null || place.page === "loop") return <>{stage.title}</>;
  return (
    <Link
      to={place.page === "tasks" ? "/projects/$project/tasks" : "/projects/$project/journal"}
      params={{ project: place.project }}
    >
      {stage.title}
    </Link>
  );
}

function Core({ loop }: { readonly loop: Loop }) {
  const { tally, when } = leading(loop);
  if (tally.total === 0) {
    return (
      <div className="core">
        <div className="big">No decisions</div>
        <div className="soft">nothing has arrived yet</div>
      </div>
    );
  }
  const share = tally.auto / tally.total;
  return (
    <div className="core">
      <div className="big num">{leadingFigure(tally)}</div>
      <div className="soft">automatic {when}</div>
      <svg className="split" viewBox="0 0 168 8" preserveAspectRatio="none" aria-hidden="true">
        <rect className="fm" width={168 * share} height="8" />
        <rect
          className="fh"
          x={168 * share + (share > 0 ? 2 : 0)}
          width={Math.max(0, 168 * (1 - share) - 2)}
          height="8"
        />
      </svg>
      <div className="small faint num">{splitSentence(tally)}</div>
    </div>
  );
}

/** The loop: five stages in a ring with their figures and states; a vertical line on narrow screens. */
export function Ring({ loop }: { readonly loop: Loop }) {
  const stages = loop.stages.slice(0, WIDE.nodes.length);
  return (
    <div className="ring">
      <Drawing shape={WIDE} className="wide" stages={stages} />
      <Drawing shape={COMPACT} className="compact" stages={stages} />
      <Core loop={loop} />
      <ol className="stages" aria-label="Stages">
        {stages.map((stage, index) => (
          <li key={stage.key} className={`s${index + 1}`}>
            <span className="dot" aria-hidden="true">
              {index + 1}
            </span>
            <h2>
              <StageTitle stage={stage} project={loop.project.id} />
            </h2>
            <b className="num">{stage.figure}</b>
            {stage.detail !== "" && <span className="small num">{stage.detail}</span>}
            <State of={stage.state}>{stage.state_text}</State>
          </li>
        ))}
      </ol>
    </div>
  );
}
