"""People claim and answer without end, in threads, and tell each answer that was acknowledged; killed from outside.

`python killed_people.py URL FOLDER PROJECT_ID`
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from handrail.cycle.annotate import Annotate
from handrail.cycle.datasets import Datasets
from handrail.cycle.tasks import Answered, Tasks
from handrail.foundation.actors import Actor, Scope
from handrail.foundation.clock import SystemClock
from handrail.foundation.ids import Ids
from handrail.foundation.journal import Journal
from handrail.foundation.randomness import Randomness
from handrail.foundation.storage import open_storage

PEOPLE, LEASE_S = 6, 60.0


def main(url: str, folder: str, project: str) -> None:
    """Work until killed."""
    clock, randomness, scope = SystemClock(), Randomness(), Scope(project)
    ids = Ids(clock, randomness)
    storage = open_storage(url)
    journal = Journal(clock, ids, randomness)
    datasets = Datasets(storage, journal, clock, ids, randomness, Path(folder))
    tasks = Tasks(journal, clock, ids, datasets)
    annotate = Annotate(storage, journal, clock, ids, randomness, datasets, tasks)
    tasks.on_answer("label", annotate.on_label)
    lock = threading.Lock()

    def tell(word: str, task: str, who: str) -> None:
        with lock:
            sys.stdout.write(f"{word} {task} {who}\n")
            sys.stdout.flush()

    def work(number: int) -> None:
        who = Actor(kind="person", id=f"p-{number}", name=f"P {number}")
        while True:
            for place, one in enumerate(storage.write(lambda uow: tasks.claim(uow, who, scope, n=3, lease_s=LEASE_S))):
                tell("claimed", one.id, who.id)
                if place == 2:
                    continue  # held, never answered
                given = Answered("a" if number % 2 else "b", "label")
                storage.write(lambda uow, id_=one.id, given=given: tasks.answer(uow, who, scope, id_, given))
                tell("answered", one.id, who.id)

    for number in range(PEOPLE):
        threading.Thread(target=work, args=(number,), daemon=True).start()
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:4])
