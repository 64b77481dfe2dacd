"""HTTP routes of sessions, people, tokens and roles."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from handrail.foundation.actors import Actor, ActorKind
from handrail.foundation.authorize import project_unknown
from handrail.foundation.http import PUBLIC, SIGNED_IN, After, Limit, Page, Reach, Routes, Visit, Who, csrf_of
from handrail.foundation.identity.model import Grant, Person, Role, Token
from handrail.foundation.identity.service import Identity, SignedIn

FindProject = Callable[[str], str | None]
"""Returns the id of the project with this id or name, or None; may block."""


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ActorOut(BaseModel):
    """Who acts."""

    kind: ActorKind
    id: str
    name: str


class SessionOut(BaseModel):
    """Who is signed in; `csrf` goes into the header X-CSRF-Token of every call that changes something."""

    actor: ActorOut | None
    setup_needed: bool = Field(description="Nobody has signed up on this server yet.")
    csrf: str | None
    demo: bool = Field(description="This is a demonstration home.")


class SignIn(_In):
    """E-mail and password."""

    email: str = Field(max_length=1024)
    password: str = Field(max_length=4096)


class SetUp(SignIn):
    """What the holder of a one-time link says about themselves."""

    token: str = Field(max_length=200, description="The token in the one-time link.")
    name: str = Field(max_length=1024)


class GrantOut(BaseModel):
    """A role, in one project or (null) in all."""

    role: str
    project_id: str | None


class GrantIn(_In):
    """A role to give; without `project` in every project."""

    role: str = Field(max_length=64)
    project: str | None = Field(default=None, max_length=200, description="Id or name of the project; null for all.")


class PersonOut(BaseModel):
    """A person who can act here."""

    id: str
    name: str
    email: str | None
    kind: ActorKind
    active: bool
    joined: bool = Field(description="Has set a password (or is simulated).")
    roles: list[GrantOut]


class PersonIn(GrantIn):
    """A person to invite."""

    name: str = Field(max_length=1024)
    email: str = Field(max_length=1024)


class Invited(BaseModel):
    """A person with the token of their one-time link: `PUBLIC_URL/setup?token=TOKEN`, valid for seven days."""

    person: PersonOut
    token: str


class LinkOut(BaseModel):
    """The token of a new one-time link."""

    token: str


class TokenOut(BaseModel):
    """A token without its secret."""

    id: str
    name: str
    kind: ActorKind
    role: str
    projects: list[str] | None = Field(description="Ids of the projects that it reaches; null for all.")
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class TokenIn(_In):
    """A token to make."""

    name: str = Field(max_length=1024, description="What uses it.")
    role: str = Field(default="machine", max_length=64)
    projects: list[str] | None = Field(
        default=None, max_length=1000, description="Ids or names of projects; null for all."
    )
    days: int | None = Field(default=None, ge=1, le=3650, description="Null: valid until revoked.")


class TokenMade(BaseModel):
    """A new token; `secret` is shown this once."""

    token: TokenOut
    secret: str


class SimulatedIn(_In):
    """A simulated person to stand in for a real one, in a demonstration home."""

    name: str = Field(max_length=1024)
    role: str = Field(default="reviewer", max_length=64)


class RoleOut(BaseModel):
    """A role and what it may do."""

    name: str
    permissions: list[str]
    note: str


def routes(identity: Identity, reach: Reach, find_project: FindProject) -> Routes:
    """Return the routes about who somebody is."""
    routes = Routes("identity")
    _sessions(routes, identity, reach)
    _people(routes, identity, find_project)
    _tokens(routes, identity, find_project)
    return routes


def _sessions(routes: Routes, identity: Identity, reach: Reach) -> None:
    path = reach.prefix or "/"

    async def begun(visit: Visit, made: SignedIn, response: Response) -> SessionOut:
        if visit.session is not None:
            await identity.sign_out(visit.session)  # a session never outlives a new sign-in on the same browser
        response.set_cookie(
            reach.cookie,
            made.secret,
            max_age=identity.session_hours * 3600,
            path=path,
            secure=reach.secure,
            httponly=True,
            samesite="lax",
        )
        return SessionOut(
            actor=_actor(made.actor), setup_needed=False, csrf=csrf_of(made.secret), demo=identity.is_demo
        )

    @routes.get("/session", permission=PUBLIC)
    async def session(visit: Visit) -> SessionOut:
        """Tell who is signed in."""
        return SessionOut(
            actor=None if visit.actor is None else _actor(visit.actor),
            setup_needed=await identity.setup_needed(),
            csrf=None if visit.session is None else csrf_of(visit.session),
            demo=identity.is_demo,
        )

    @routes.post("/session", permission=PUBLIC, own_key=True, body_limit=16 << 10)
    async def sign_in(body: SignIn, visit: Visit, request: Request, response: Response) -> SessionOut:
        """Sign in."""
        made = await identity.sign_in(body.email, body.password, _address(request))
        return await begun(visit, made, response)

    @routes.delete("/session", permission=SIGNED_IN)
    async def sign_out(visit: Visit, response: Response) -> None:
        """Sign out; a token is not affected."""
        if visit.session is not None:
            await identity.sign_out(visit.session)
            response.delete_cookie(reach.cookie, path=path, secure=reach.secure, httponly=True, samesite="lax")

    @routes.post("/setup", permission=PUBLIC, own_key=True, body_limit=16 << 10)
    async def set_up(body: SetUp, visit: Visit, request: Request, response: Response) -> SessionOut:
        """Use a one-time link: sign up as the first person, or as one who was invited."""
        made = await identity.join(body.token, body.name, body.email, body.password, _address(request))
        return await begun(visit, made, response)


def _people(routes: Routes, identity: Identity, find_project: FindProject) -> None:
    people = identity.people

    def grant(role: str, project: str | None) -> Grant:
        return Grant(role, None if project is None else _found(find_project, project))

    @routes.get("/people", permission="people.read")
    def list_people(limit: Limit = 100, after: After = None) -> Page[PersonOut]:
        """List the people, the oldest first."""
        found = people.list(after or "", limit)
        return Page(items=[_person(one) for one in found], next=found[-1].id if len(found) == limit else None)

    @routes.post("/people", permission=SIGNED_IN, status=201, own_key=True)
    def add_person(body: PersonIn, who: Who) -> Invited:
        """Invite a person with a role that the caller may give (permission people.add)."""
        person, secret = people.add(who, body.name, body.email, grant(body.role, body.project))
        return Invited(person=_person(person), token=secret)

    @routes.post("/people/{person_id}/link", permission="people.change", status=201, own_key=True)
    def new_link(person_id: str, who: Who) -> LinkOut:
        """Make a new one-time link for somebody who lost link or password; their sessions end."""
        return LinkOut(token=people.new_link(who, person_id))

    @routes.delete("/people/{person_id}", permission="people.change")
    def stop_person(person_id: str, who: Who) -> None:
        """End a person's access."""
        people.stop(who, person_id)

    @routes.put("/people/{person_id}/roles", permission=SIGNED_IN, status=204)
    def give_role(person_id: str, body: GrantIn, who: Who) -> None:
        """Give a person a role (permission people.add)."""
        people.give(who, person_id, grant(body.role, body.project))

    @routes.delete("/people/{person_id}/roles/{role}", permission=SIGNED_IN)
    def take_role(person_id: str, role: str, who: Who, project: str | None = None) -> None:
        """Take a role back (permission people.add)."""
        people.take(who, person_id, grant(role, project))

    @routes.get("/roles", permission="people.read")
    def list_roles() -> Page[RoleOut]:
        """List the roles."""
        return Page(items=[_role(one) for one in people.roles()])


def _tokens(routes: Routes, identity: Identity, find_project: FindProject) -> None:
    tokens = identity.tokens

    @routes.get("/tokens", permission="tokens.list")
    def list_tokens(limit: Limit = 100, after: After = None) -> Page[TokenOut]:
        """List the tokens, the oldest first; their secrets are kept nowhere."""
        found = tokens.list(after or "", limit)
        return Page(items=[_token(one) for one in found], next=found[-1].id if len(found) == limit else None)

    @routes.post("/tokens", permission="tokens.make", status=201, own_key=True)
    def make_token(body: TokenIn, who: Who) -> TokenMade:
        """Make a token for a machine."""
        projects = None
        if body.projects is not None:
            projects = frozenset(_found(find_project, name) for name in body.projects)
        token, secret = tokens.make(who, body.name, body.role, projects=projects, days=body.days)
        return TokenMade(token=_token(token), secret=secret)

    @routes.post("/simulated", permission="tokens.make", status=201, own_key=True)
    def make_simulated(body: SimulatedIn, who: Who) -> TokenMade:
        """Add a simulated person and return their token; in demonstration homes only, and marked wherever they act."""
        made = identity.people.add_simulated(who, body.name, Grant(body.role))
        token, secret = tokens.make(who, body.name, body.role, simulated_id=made.id)
        return TokenMade(token=_token(token), secret=secret)

    @routes.delete("/tokens/{token_id}", permission="tokens.revoke")
    def revoke_token(token_id: str, who: Who) -> None:
        """Revoke a token."""
        tokens.revoke(who, token_id)


def _found(find_project: FindProject, name: str) -> str:
    project_id = find_project(name)
    if project_id is None:
        raise project_unknown()
    return project_id


def _address(request: Request) -> str:
    return request.client.host if request.client is not None else ""


def _actor(actor: Actor) -> ActorOut:
    return ActorOut(kind=actor.kind, id=actor.id, name=actor.name)


def _person(person: Person) -> PersonOut:
    roles = [GrantOut(role=one.role, project_id=one.project_id) for one in person.grants]
    return PersonOut(
        id=person.id,
        name=person.name,
        email=person.email,
        kind=person.kind,
        active=person.active,
        joined=person.joined,
        roles=roles,
    )


def _token(token: Token) -> TokenOut:
    return TokenOut(
        id=token.id,
        name=token.name,
        kind=token.kind,
        role=token.role,
        projects=None if token.projects is None else sorted(token.projects),
        created_at=token.created_at,
        expires_at=token.expires_at,
        revoked_at=token.revoked_at,
        last_used_at=token.last_used_at,
    )


def _role(role: Role) -> RoleOut:
    return RoleOut(name=role.name, permissions=sorted(role.permissions), note=role.note)
