"""Commands about decisions and the rules they are made under."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from handrail.doors.cli.certificate_text import group_tables, spent_lines
from handrail.doors.cli.policy_text import imported_lines, pairs, policy_file, trial_lines
from handrail.doors.cli.terminal import As, At, In, Json, Simulated, end, json_file, person, project, table
from handrail.foundation.errors import HandrailError

if TYPE_CHECKING:
    from handrail.cycle.review.decisions.forms import DecideIn, DecisionOut

decisions = typer.Typer(help="Decisions: what happened to each item.", no_args_is_help=True)
policy = typer.Typer(help="The rules that route items.", no_args_is_help=True)
certificate = typer.Typer(help="Certificates: what may run without a person.", no_args_is_help=True)
tasks = typer.Typer(help="The work that waits for people.", no_args_is_help=True)
monitor = typer.Typer(help="Days, alarms, campaigns.", no_args_is_help=True)

Why = Annotated[str, typer.Option(help="Why, for the journal.")]
_AT_ONCE = 1000


@decisions.command("make")
def decide(
    name: In,
    file: Annotated[Path, typer.Argument(help="JSON Lines, one request a line; - is standard input.")] = Path("-"),
    home: At = None,
    as_json: Json = False,
) -> None:
    """Decide items: one line of JSON each, {external_id, data, idempotency_key, ...}; fails when one was refused."""
    requests = _requests(sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8"))
    with project(home, name) as opened:
        made = opened.decide_many(requests)
    rows = [_told(one.external_id, result) for one, result in zip(requests, made, strict=True)]
    refused = sum(isinstance(one, HandrailError) for one in made)
    head = ("item", "status", "answer", "by", "why")
    said = [(row["item"], row["status"], row["value"], row["by"], row["reason"]) for row in rows]
    end(as_json, {"items": rows, "refused": refused}, table(f"{len(rows)} item(s), {refused} refused", head, said))
    if refused:
        raise typer.Exit(1)


def _requests(text: str) -> list[DecideIn]:
    from pydantic import ValidationError

    from handrail.cycle.review.decisions.forms import DecideIn
    from handrail.doors.cli.terminal import BadFile

    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                found.append(DecideIn.model_validate_json(line))
            except ValidationError as error:
                what = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
                raise BadFile(f"Line {number} is no request: {what}.", hint="Nothing was decided.") from None
    return found


def _told(item: str, made: DecisionOut | HandrailError) -> dict[str, Any]:
    if isinstance(made, HandrailError):
        return {"item": item, "status": made.code, "value": None, "by": None, "reason": made.sentence, "id": None}
    reason = made.reasons[0] if made.reasons else ""
    return {
        "item": item, "status": made.status, "value": made.value, "by": made.by, "reason": reason, "id": made.id,
    }  # fmt: skip


@decisions.command("show")
def show(
    decision_id: Annotated[str, typer.Argument(help="Id of the decision.")],
    name: In,
    home: At = None,
    as_json: Json = False,
) -> None:
    """Show a decision's dossier: who or what decided, why, on which model, data and rules, with proofs."""
    with project(home, name) as opened:
        found = opened.dossier(decision_id)
    one = found.model_dump(mode="json")
    made = one["decision"]
    lines = [f"{made['status']}: {made['value']} by {made['by']}", *(f"  {reason}" for reason in one["reasons"])]
    entries = len(one["entries"])
    end(as_json, found, *lines, f"{entries} journal entries, each with a proof; --json has everything.")


@decisions.command("consume")
def consume(
    decision_id: Annotated[str, typer.Argument(help="Id of the decision.")],
    caller: Annotated[str, typer.Argument(help="Your name of this attempt; the same one when you try again.")],
    name: In,
    action_hash: Annotated[str | None, typer.Option(help="Hash of what is carried out, as it was decided on.")] = None,
    home: At = None,
    as_json: Json = False,
) -> None:
    """Take a decision before acting on it; fails when another caller has it, or when there is nothing to act on."""
    with project(home, name) as opened:
        made = opened.consume(decision_id, caller, action_hash=action_hash)
    end(as_json, made, f"{made.caller} may act on {made.value!r}, since {made.consumed_at:%Y-%m-%d %H:%M:%S}.")


@decisions.command("reverse")
def reverse(
    decision_id: Annotated[str, typer.Argument(help="Id of the decision.")],
    name: In,
    why: Why,
    email: As = None,
    simulated: Simulated = None,
    home: At = None,
    as_json: Json = False,
) -> None:
    """Take a settled decision back, as a person; who has acted on it must acknowledge that."""
    with person(home, email, simulated) as acting:
        made = acting.project(name).reverse(decision_id, why)
    acted = ", and who acted on it must acknowledge that" if made.consumed_at else ""
    end(as_json, made, f"The decision is {made.status}{acted}.")


@decisions.command("acknowledge")
def acknowledge(
    decision_id: Annotated[str, typer.Argument(help="Id of the decision that was taken back.")],
    name: In,
    note: Annotated[str, typer.Option(help="What was done about it.")] = "",
    home: At = None,
    as_json: Json = False,
) -> None:
    """Say that you, who acted on a decision, know that it was taken back."""
    with project(home, name) as opened:
        made = opened.acknowledge(decision_id, note)
    end(as_json, made, f"Acknowledged at {made.acknowledged_at:%Y-%m-%d %H:%M:%S}.")


@policy.command("set")
def set_policy(
    file: Annotated[Path, typer.Argument(help="JSON or YAML file; - is standard input.")],
    name: In,
    loosens: Annotated[bool, typer.Option("--loosens", help="It lowers safeguards, and that is meant.")] = False,
    home: At = None,
    as_json: Json = False,
) -> None:
    """Check a policy and put it into force as the next version; one that lowers a safeguard needs --loosens."""
    with project(home, name) as opened:
        made = opened.set_policy(policy_file(file), loosens=loosens)
    end(as_json, made, f"Policy version {made.version} is in force.")


@policy.command("try")
def try_policy(
    file: Annotated[Path, typer.Argument(help="JSON or YAML file; - is standard input.")],
    name: In,
    since: Annotated[datetime | None, typer.Option(help="Read decisions made since then (UTC); all if not.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Read so many, the newest first.")] = 10_000,
    look_cost: Annotated[float | None, typer.Option(min=0, help="What one look costs you.")] = None,
    error_cost: Annotated[float | None, typer.Option(min=0, help="What one wrong automatic answer costs you.")] = None,
    home: At = None,
    as_json: Json = False,
) -> None:
    """Replay recorded decisions through a policy, beside the one in force; changes nothing."""
    begin = None if since is None else since.replace(tzinfo=since.tzinfo or UTC)
    with project(home, name) as opened:
        found = opened.try_policy(
            policy_file(file), since=begin, limit=limit, look_cost=look_cost, error_cost=error_cost
        )
    end(as_json, found, *trial_lines(found))


@policy.command("import-a2i")
def import_a2i(
    file: Annotated[Path, typer.Argument(help="JSON file of HumanLoopActivationConditions; - is standard input.")],
    name: In,
    question: Annotated[str, typer.Option(help="The question that the policy routes.")],
    value: Annotated[list[str] | None, typer.Option(help='"Form key=field" with its value; repeat it.')] = None,
    confidence: Annotated[
        list[str] | None, typer.Option(help='"Form key=field" with its confidence in percent; repeat it.')
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the policy document here.")] = None,
    home: At = None,
    as_json: Json = False,
) -> None:
    """Turn activation conditions of Amazon A2I into a policy document; names what has no counterpart."""
    with project(home, name) as opened:
        found = opened.import_a2i(json_file(file), question, values=pairs(value), confidences=pairs(confidence))
    text = json.dumps(found.policy, indent=2, ensure_ascii=False)
    if out is not None:
        out.write_text(text + "\n", encoding="utf-8")
    end(as_json, found, *imported_lines(found, text if out is None else f"Written to {out}."))


@policy.command("show")
def show_policy(name: In, home: At = None, as_json: Json = False) -> None:
    """Show the state of automation, its policy and certificate."""
    with project(home, name) as opened:
        found = opened.oversight()
    if found is None:
        end(as_json, {"state": None}, "No policy is in force: every item goes to a person.")
        return
    end(
        as_json,
        found,
        f"Automation is {found.state} since {found.since:%Y-%m-%d %H:%M} under policy {found.policy_version}.",
    )


@certificate.command("plan")
def plan(
    name: In,
    labels: Annotated[
        int | None, typer.Argument(min=1, help="How many labels to draw; fixed before the first one.")
    ] = None,
    automate: Annotated[
        float | None, typer.Option(min=0.01, max=1.0, help="In place of labels: the share to automate, 0.7 for 70 %.")
    ] = None,
    source: Annotated[
        Literal["archive", "stream"], typer.Option(help="From stored items, or from those to come.")
    ] = "archive",
    alpha: Annotated[float | None, typer.Option(help="Highest error; the policy's if not given.")] = None,
    delta: Annotated[
        float | None, typer.Option(help="Chance of a wrong certificate; the policy's if not given.")
    ] = None,
    everywhere: Annotated[
        bool, typer.Option("--everywhere", help="Draw labels from all scores, not only where they are worth most.")
    ] = False,
    home: At = None,
    as_json: Json = False,
) -> None:
    """Ask for a certificate for the champion; says at once when it cannot be had, and how many labels it takes."""
    with project(home, name) as opened:
        made = opened.plan_certificate(
            labels, automate=automate, source=source, alpha=alpha, delta=delta, lazy=not everywhere
        )
    said = f"Certificate {made.number}: {made.status}."
    more = "" if made.needed is None else f" At least {made.needed} labels are needed."
    if made.progress is not None:
        more = f" It will take about {made.progress.expected_more:.0f} labels; {made.labels_planned} are asked for now."
    end(as_json, made, said + more, *group_tables([made]))


@certificate.command("list")
def list_certificates(name: In, home: At = None, as_json: Json = False) -> None:
    """List the certificates, oldest first, and what those that hold or collect labels say of each group."""
    with project(home, name) as opened:
        found = opened.certificates()
    rows = [
        (one.number, one.status, one.alpha, one.delta, one.threshold, one.labels_drawn, one.ended_why) for one in found
    ]
    head = ("no.", "status", "alpha", "delta", "threshold", "labels", "ended")
    end(as_json, found, table(f"{len(found)} certificate(s)", head, rows), *group_tables(found))


@certificate.command("spent")
def spent(name: In, home: At = None, as_json: Json = False) -> None:
    """Show what the certificates spent of the chance to be wrong: each, by group, by model and in sum."""
    with project(home, name) as opened:
        found = opened.certificate_spending()
    end(as_json, found, *spent_lines(found))


def stop(
    name: In, why: Why, email: As = None, simulated: Simulated = None, home: At = None, as_json: Json = False
) -> None:
    """Stop automation, as a person: from now on every item goes to people."""
    with person(home, email, simulated) as acting:
        now = acting.project(name).stop(why)
    end(as_json, now, f"Automation is {now.state}.")


def restart(
    name: In, why: Why, email: As = None, simulated: Simulated = None, home: At = None, as_json: Json = False
) -> None:
    """Start automation again, as another person than the one who stopped it."""
    with person(home, email, simulated) as acting:
        now = acting.project(name).restart(why)
    end(as_json, now, f"Automation is {now.state}.")


@tasks.command("list")
def list_tasks(
    name: In,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many at most.")] = 20,
    home: At = None,
    as_json: Json = False,
) -> None:
    """List the open tasks, the most urgent first."""
    with project(home, name) as opened:
        found = opened.open_tasks(limit=limit)
    rows = [(one.kind, one.item_name, one.question, one.reason, one.status) for one in found.items]
    title = ", ".join(f"{number} {status}" for status, number in sorted(found.counts.items())) or "No tasks"
    end(as_json, found, table(title, ("kind", "item", "question", "why a person", "status"), rows))


@tasks.command("draw")
def draw(
    n: Annotated[int, typer.Argument(min=1, help="How many items.")],
    name: In,
    question: Annotated[str, typer.Option(help="What to ask.")],
    purpose: Annotated[Literal["train", "holdout"], typer.Option(help="What the labels are for.")] = "train",
    why: Annotated[str, typer.Option(help="Why, for the journal.")] = "",
    home: At = None,
    as_json: Json = False,
) -> None:
    """Draw items at random, with logged probability, and open a blind label task for each."""
    with project(home, name) as opened:
        made = opened.draw(question, n, purpose=purpose, reason=why)
    end(as_json, made, f"{made.drawn} tasks opened; each waiting item had a chance of {made.probability:.3g}.")


@monitor.command("watch")
def watch(
    day: Annotated[int, typer.Argument(help="YYYYMMDD, a day that is over.")],
    name: In,
    home: At = None,
    as_json: Json = False,
) -> None:
    """Compare a day with the reference; an alarm opens a campaign."""
    with project(home, name) as opened:
        found = opened.watch(day)
    said = [f"[bold]{one.sentence}[/bold]" for one in found] or [f"{day} is like the reference."]
    end(as_json, found, *said)


@monitor.command("alarms")
def alarms(name: In, home: At = None, as_json: Json = False) -> None:
    """List the alarms, newest first."""
    with project(home, name) as opened:
        found = opened.alarms()
    rows = [(one.day, one.status, one.sentence, one.campaign_id) for one in found]
    end(as_json, found, table(f"{len(found)} alarm(s)", ("day", "status", "what", "campaign"), rows))
