"""What an item looks like and what is asked about it: fields, questions, and the check of every value."""

from handrail.cycle.datasets.schema.answers import Branch
from handrail.cycle.datasets.schema.contents import MEDIA, STRUCTURED
from handrail.cycle.datasets.schema.fields import Field, FieldType, ShownField
from handrail.cycle.datasets.schema.problems import (
    AnswerInvalid,
    ItemInvalid,
    QuestionOfRegions,
    QuestionUnknown,
    SchemaInvalid,
    refuse,
)
from handrail.cycle.datasets.schema.questions import QUESTION_TYPES, REGION_TYPES, Question, QuestionType, When
from handrail.cycle.datasets.schema.rules import GROUP_PREFIX, PURPOSE_SUFFIX, RESERVED, purpose_column
from handrail.cycle.datasets.schema.schema import Schema
from handrail.cycle.datasets.schema.together import needs, together

__all__ = [
    "GROUP_PREFIX",
    "MEDIA",
    "PURPOSE_SUFFIX",
    "QUESTION_TYPES",
    "REGION_TYPES",
    "RESERVED",
    "STRUCTURED",
    "AnswerInvalid",
    "Branch",
    "Field",
    "FieldType",
    "ItemInvalid",
    "Question",
    "QuestionOfRegions",
    "QuestionType",
    "QuestionUnknown",
    "Schema",
    "SchemaInvalid",
    "ShownField",
    "When",
    "needs",
    "purpose_column",
    "refuse",
    "together",
]
