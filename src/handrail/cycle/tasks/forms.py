"""What the HTTP API takes and gives for the rules of a queue."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from handrail.cycle.tasks.staffing import MOST_LIMIT, QueueRules


class QueueRulesForm(BaseModel):
    """What a project says about its queue; null is no limit."""

    model_config = ConfigDict(extra="forbid")
    most_held: int | None = Field(None, ge=1, le=MOST_LIMIT, description="Tasks that a person may hold at once.")
    most_an_hour: int | None = Field(
        None, ge=1, le=MOST_LIMIT, description="Answers of a person in any 60 minutes; the next claim is refused."
    )
    most_a_day: int | None = Field(None, ge=1, le=MOST_LIMIT, description="Answers of a person in any 24 hours.")
    chain: list[str] = Field(
        default_factory=list, description="Skills that an escalated task climbs through; then it stays with leads."
    )
    skills: dict[str, list[str]] = Field(default_factory=dict, description="Skill -> ids of the people who have it.")

    @classmethod
    def of(cls, one: QueueRules) -> QueueRulesForm:
        """Return what callers see."""
        return cls.model_validate(one.to_dict() | {"skills": {name: list(ids) for name, ids in one.skills.items()}})

    def rules(self) -> QueueRules:
        """Return the rules; raises RulesInvalid."""
        return QueueRules.from_dict(self.model_dump())
