"""The plumbing that every stage's routes use. How to write routes: README.md beside this file."""

from handrail.foundation.http.application import application, refuse_unguarded
from handrail.foundation.http.backlog import Backlog, Stream
from handrail.foundation.http.body import arriving, read, received
from handrail.foundation.http.call import Call, In, Once, Visit, Who
from handrail.foundation.http.declared import PUBLIC, SIGNED_IN, Declared, Routes, RouteWithoutPermission
from handrail.foundation.http.guard import API, FindProject, Gate, GuardedRoute, csrf_of
from handrail.foundation.http.once import OnceOnly, forget_old
from handrail.foundation.http.page import After, BadCursor, Limit, Page, WaitS, cursor, keys
from handrail.foundation.http.problem import FieldProblem, Problem, problem
from handrail.foundation.http.reach import Reach, reach
from handrail.foundation.http.waiting import Waiting

__all__ = [
    "API",
    "PUBLIC",
    "SIGNED_IN",
    "After",
    "Backlog",
    "BadCursor",
    "Call",
    "Declared",
    "FieldProblem",
    "FindProject",
    "Gate",
    "GuardedRoute",
    "In",
    "Limit",
    "Once",
    "OnceOnly",
    "Page",
    "Problem",
    "Reach",
    "RouteWithoutPermission",
    "Routes",
    "Stream",
    "Visit",
    "WaitS",
    "Waiting",
    "Who",
    "application",
    "arriving",
    "csrf_of",
    "cursor",
    "forget_old",
    "keys",
    "problem",
    "reach",
    "read",
    "received",
    "refuse_unguarded",
]
