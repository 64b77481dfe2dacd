"""All SQL of annotating: draws and campaigns, overlapping answers."""

from handrail.cycle.annotate.store.draws import (
    add_campaign,
    add_lot,
    campaigns,
    draw_of_task,
    drawn_ids,
    draws_of_lot,
    get_campaign,
    label,
    last_lot,
    lots,
    pass_on,
    put_campaign,
    sample,
)

__all__ = [
    "add_campaign",
    "add_lot",
    "campaigns",
    "draw_of_task",
    "drawn_ids",
    "draws_of_lot",
    "get_campaign",
    "label",
    "last_lot",
    "lots",
    "pass_on",
    "put_campaign",
    "sample",
]
