"""Is a decision ever lost, doubled or overwritten late, and is anything automatic after the brake's commit?

Real servers are killed with signal 9 at random moments and started again, with clocks that are up to 45 seconds off.
On PostgreSQL two of them share a database; one process owns a SQLite home, whose clock jumps at each start. Writers ask
over every server with idempotency keys, people answer around deadlines, two callers try to act on one decision. What
the clients remember is then compared with the database and with the journal.

    python -m bench crash [--quick] [--keep] [--decisions=100000]

This is part C of the benchmarks of oversight: `python -m bench oversight --part=C` is the same.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.crash.braking import Told, brake_round
from bench.crash.clients import Clients
from bench.crash.controls import lies
from bench.crash.heard import Finding
from bench.crash.home import Place, copied, prepared
from bench.crash.ledger import Ledger, automatic_after_brake, check, read_ledger
from bench.crash.servers import Server
from bench.report import Line, report
from bench.stopwatch import Stopwatch
from handrail.foundation.journal.checkpoint import Signer
from handrail.foundation.journal.verifying import verify
from handrail.foundation.storage import open_storage
from tests.chaos.deciding_home import DecidingHome
from tests.leftovers import wait_for_leftovers
from tools import postgres

SKEWS = (-45.0, -1.0, 0.0, 1.0, 45.0)
RIGHT = (0.0,)
WRITERS, REVIEWERS, RACERS = 16, 3, 12
LIVES_S = (2.0, 15.0)
KILLS = 3  # at least, however fast the decisions are made
_KINDS = ("lost", "doubled", "overwritten", "unexpected")


@dataclass(frozen=True)
class Sizes:
    """How many decisions are asked for, on PostgreSQL and on SQLite, and rounds with a brake on each."""

    decisions: int
    sqlite: int
    rounds: int


FULL, QUICK = Sizes(100_000, 20_000, 5), Sizes(3000, 1500, 1)


@dataclass
class Outcome:
    """What a run found, and that it was hard enough to mean something."""

    decisions: int
    found: list[Finding]
    verified: bool
    kills: int
    skews: list[float]
    statuses: dict[str, int]
    refused: dict[str, int]
    seconds: float
    undetected: list[str] = field(default_factory=list)

    def number(self, kind: str) -> int:
        """Return how many findings are of a kind."""
        return sum(one.kind == kind for one in self.found)


async def crash(place: list[Place], target: int, seed: int) -> tuple[Clients, list[Server]]:
    """Ask for `target` decisions while the servers die again and again; then ask for everything once more."""
    draw = random.Random(seed)
    alone = len(place) == 1
    servers = [
        Server(one.home, random.Random(f"{seed} {number}"), SKEWS if number or alone else RIGHT)
        for number, one in enumerate(place)
    ]
    clients = Clients(place[0], servers, draw, target)
    over, asked = asyncio.Event(), asyncio.Event()
    try:
        # A server that does not start ends everything: nobody else would, they wait for it.
        async with asyncio.TaskGroup() as group:
            dying = [group.create_task(one.live(LIVES_S, asked)) for one in servers]
            for _ in range(REVIEWERS):
                group.create_task(clients.review(over))
            for _ in range(RACERS):
                group.create_task(clients.race(over))
            group.create_task(clients.act(over))
            await asyncio.gather(*(group.create_task(clients.write(KILLS)) for _ in range(WRITERS)))
            asked.set()
            await asyncio.gather(*dying)
            over.set()
        await clients.ask_everything_again()
    finally:
        await asyncio.gather(*(one.end() for one in servers))
        await clients.close()
    return clients, servers


def stored(home: DecidingHome) -> tuple[Ledger, bool]:
    """Read the database itself, when nobody else uses it any more; and verify its journal."""
    wait_for_leftovers(home.settings().database)
    with closing(open_storage(home.settings().database)) as storage:
        found = verify(storage, Signer.of_home(home.folder / "keys").verifier)
        return storage.read(read_ledger), found.ok


def crash_run(place: list[Place], target: int, seed: int) -> Outcome:
    """Crash, then compare; the comparison is fed lies as well, which it must find."""
    with Stopwatch() as taken:
        clients, servers = asyncio.run(crash(place, target, seed))
    ledger, verified = stored(place[0].home)
    complete = set(clients.heard.told) == set(clients.heard.asked)
    found = check(clients.heard, ledger, complete=complete)
    if not complete:
        missing = clients.heard.asked.keys() - clients.heard.told.keys()
        found.append(Finding("lost", f"{len(missing)} keys were never answered"))
    return Outcome(
        decisions=len(ledger.decisions),
        found=found,
        verified=verified,
        kills=sum(one.kills for one in servers),
        skews=sorted(set.union(*(one.skewed for one in servers))),
        statuses=dict(Counter(one.status for one in ledger.decisions)),
        refused=dict(clients.heard.refused),
        seconds=taken.wall,
        undetected=lies(clients.heard, ledger),
    )


def brake_rounds(
    prepared_place: Place, folder: Path, server: postgres.Server | None, rounds: int
) -> list[tuple[Told, tuple[int, int, int], list[Finding]]]:
    """Play rounds with a brake, each on a fresh copy."""
    made = []
    for number in range(rounds):
        own = folder / f"brake-{number}"
        own.mkdir()
        with copied(prepared_place, own, server, 1 if server is None else 2) as places:
            draw = random.Random(number)
            servers = [Server(one.home, draw, RIGHT if at == 0 else SKEWS) for at, one in enumerate(places)]
            clients, told = asyncio.run(brake_round(places[0], servers, draw))
            ledger, verified = stored(places[0].home)
            found = check(clients.heard, ledger, complete=True)
            if not verified:
                found.append(Finding("overwritten", "the journal does not verify"))
            made.append((told, automatic_after_brake(ledger), found))
    return made


def crash_lines(name: str, one: Outcome, asked: int) -> list[Line]:
    """Return the figures of a run of crashes."""
    lines = [Line(f"{name}: decisions under crashes", one.decisions, at_least=asked, peer=f"{one.seconds:.0f} s")]
    for kind in _KINDS:
        said = next((each.sentence[:160] for each in one.found if each.kind == kind), "")
        lines.append(Line(f"{name}: {kind}", one.number(kind), at_most=0, peer=said))
    late = sum(
        one.refused.get(code, 0) for code in ("tasks.closed", "review.already_decided", "tasks.already_answered")
    )
    return [
        *lines,
        Line(f"{name}: journal verified", float(one.verified), at_least=1),
        Line(f"{name}: kills -9", one.kills, at_least=KILLS, peer=f"clocks off by {one.skews} s"),
        Line(f"{name}: expired by a deadline", one.statuses.get("expired", 0), at_least=1),
        Line(f"{name}: answers that came too late and were refused", late, at_least=1),
        Line(
            f"{name}: must fail, lies that the comparison did not find",
            len(one.undetected),
            at_most=0,
            peer="; ".join(one.undetected),
        ),
    ]


def brake_lines(name: str, rounds: list[tuple[Told, tuple[int, int, int], list[Finding]]]) -> list[Line]:
    """Return the figures of the rounds with a brake."""
    told = [one for one, _, _ in rounds]
    found = [one for _, _, each in rounds for one in each]
    return [
        Line(f"{name}: rounds that braked", sum(b >= 1 for _, (b, _, _), _ in rounds), at_least=len(rounds)),
        Line(
            f"{name}: automatic after the brake, as the journal has it", sum(a for _, (_, _, a), _ in rounds), at_most=0
        ),
        Line(f"{name}: automatic, asked for after the brake was heard of", sum(one.after for one in told), at_most=0),
        Line(
            f"{name}: automatic before the brake, least of the rounds",
            min(b for _, (_, b, _), _ in rounds),
            at_least=20,
        ),
        Line(f"{name}: kills -9 around the brake", sum(one.kills for one in told), at_least=2 * len(rounds)),
        Line(
            f"{name}: lost, doubled or overwritten in these rounds",
            len(found),
            at_most=0,
            peer=found[0].sentence[:160] if found else "",
        ),
    ]


@contextmanager
def _postgres() -> Iterator[postgres.Server]:
    with postgres.server(durable=True) as running:
        yield running


def measure(folder: Path, sizes: Sizes) -> tuple[list[Line], dict[str, object]]:
    """Run everything on PostgreSQL with two servers, then on SQLite with one."""
    lines: list[Line] = []
    facts: dict[str, object] = {}
    with _postgres() as server:
        for name, target, own, many in (("PostgreSQL", sizes.decisions, server, 2), ("SQLite", sizes.sqlite, None, 1)):
            place_folder = folder / name.lower()
            place_folder.mkdir()
            with prepared(place_folder, own) as place:
                (place_folder / "crash").mkdir()
                with copied(place, place_folder / "crash", own, many) as places:
                    outcome = crash_run(places, target, seed=many)
                print(f"{name}: {outcome.decisions} decisions, {outcome.kills} kills", file=sys.stderr, flush=True)
                lines += crash_lines(f"{name}, {many} server(s)", outcome, target)
                facts[name] = {"statuses": outcome.statuses, "refused": outcome.refused}
                facts[f"{name}, undetected lies"] = outcome.undetected
                lines += brake_lines(f"{name}, brake", brake_rounds(place, place_folder, own, sizes.rounds))
    return lines, facts


def main() -> int:
    """Measure and report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--decisions", type=int)
    options = parser.parse_args()
    sizes = QUICK if options.quick else FULL
    if options.decisions is not None:
        sizes = Sizes(options.decisions, options.decisions // 5, sizes.rounds)
    with Stopwatch() as taken, tempfile.TemporaryDirectory(prefix="handrail-crash-") as name:
        lines, facts = measure(Path(name), sizes)
    lines.append(Line("the whole benchmark", taken.wall / 60, "min"))
    return report("crash", lines, facts={**facts, "sizes": str(sizes)})


if __name__ == "__main__":
    sys.exit(main())
