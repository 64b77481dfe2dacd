"""People, machines, roles, sign-in. Routes are in `routes`, which is imported by doors only."""

from handrail.foundation.authorize import allowed, authorize
from handrail.foundation.identity.model import BUILT_IN, LOCAL, Grant, Person, Role, Token
from handrail.foundation.identity.passwords import Passwords
from handrail.foundation.identity.people import People
from handrail.foundation.identity.service import Identity, SignedIn
from handrail.foundation.identity.tokens import Tokens

__all__ = [
    "BUILT_IN",
    "LOCAL",
    "Grant",
    "Identity",
    "Passwords",
    "People",
    "Person",
    "Role",
    "SignedIn",
    "Token",
    "Tokens",
    "allowed",
    "authorize",
]
