"""Every setting, in one frozen object; the only module that reads the environment.

A setting is a variable HANDRAIL_NAME or a command-line option of the same name, which wins. Nothing else is read: no
files, no variables of other programs. A dangerous combination refuses to start and says everything that is wrong at
once.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from handrail.foundation.errors import Invalid

PREFIX = "HANDRAIL_"
_PATH_PREFIX = re.compile(r"(/[A-Za-z0-9._~-]+)*")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")

Words = Annotated[tuple[str, ...], NoDecode]
"""Several words in one variable, with commas between them."""


class SettingsRefused(Invalid):
    """The settings are wrong or dangerous together; `facts["problems"]` lists every one."""

    code = "settings.refused"


class Settings(BaseSettings):
    """What an operator may set. Built once, by `load`, and passed down."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=True
    )

    home: Path = Field(
        Path("handrail-data"),
        description="Folder for the database, files, dataset versions and keys. One process owns it at a time.",
    )
    database_url: SecretStr | None = Field(
        None,
        description="`postgresql://USER:PASSWORD@HOST/NAME`; not set: handrail.db in the home folder (SQLite).",
    )
    host: str = Field(
        "127.0.0.1",
        description="Address to listen on. Anything but this computer needs TLS or `allow_insecure_bind`.",
    )
    port: int = Field(8731, ge=0, le=65535, description="Port to listen on; 0 takes any free one.")
    public_url: str | None = Field(
        None, description="The address that people type, when a proxy stands before the server: `https://host/prefix`."
    )
    prefix: str = Field(
        "", description="Path under which the server is reached, such as `/review`; empty for the root."
    )
    allowed_hosts: Words = Field(
        (), description="Further host names that the server answers to, beside this computer and `public_url`."
    )
    trusted_proxies: Words = Field(
        (), description="Addresses of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."
    )
    tls_cert: Path | None = Field(None, description="File with the certificate chain (PEM); with `tls_key`.")
    tls_key: Path | None = Field(None, description="File with the private key (PEM); readable by its owner only.")
    allow_insecure_bind: bool = Field(
        False, description="Listen beyond this computer without TLS; passwords then travel in the clear."
    )
    session_hours: int = Field(12, ge=1, le=720, description="Hours after which a person has to sign in again.")
    upload_limit_mb: int = Field(512, ge=1, le=65536, description="Largest file that may be sent, in MiB.")
    worker: bool = Field(
        True,
        description="Run jobs (training, commits, reports) inside the server process. `false`: `handrail worker` runs "
        "them, on PostgreSQL only.",
    )
    compute: str = Field("local", description="Where heavy steps run: `local`, in processes of their own.")
    compute_workers: int = Field(1, ge=1, le=256, description="How many heavy steps run at the same time.")
    compute_memory_mb: int = Field(
        2048, ge=256, le=1 << 22, description="Memory limit of one heavy step, in MiB; a step that needs more is ended."
    )
    outgoing_hosts: Words = Field(
        (),
        description="Hosts that the server may call (web hooks, imports): names, `*.example.org`, `*`. Default: none.",
    )
    outgoing_networks: Words = Field(
        (), description="Networks that are not public and may be called all the same, such as `10.1.0.0/16`."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="How much the server logs.")
    demo: bool = Field(
        False, description="Mark a new home as a demonstration, the only kind in which simulated people may act."
    )
    url: str | None = Field(None, description="Command line and Python client: the address of the server to talk to.")
    token: SecretStr | None = Field(None, description="Command line and Python client: the token to send.")

    @field_validator("allowed_hosts", "trusted_proxies", "outgoing_hosts", "outgoing_networks", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(word for word in (part.strip() for part in value.split(",")) if word)
        return value

    @field_validator("home")
    @classmethod
    def _whole_path(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("prefix")
    @classmethod
    def _path_prefix(cls, value: str) -> str:
        if not _PATH_PREFIX.fullmatch(value.rstrip("/")):
            raise ValueError("must look like /review or /tools/review")
        return value.rstrip("/")

    @property
    def database(self) -> str:
        """Return the URL of the database, with its password; for `open_storage` only, never for a log."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.home / 'handrail.db'}"

    @property
    def uses_sqlite(self) -> bool:
        """Return whether the database is a SQLite file, which one process owns."""
        return self.database.startswith("sqlite:")

    @property
    def tls(self) -> bool:
        """Return whether the server itself encrypts."""
        return self.tls_cert is not None

    @property
    def is_loopback(self) -> bool:
        """Return whether only this computer can connect."""
        return is_loopback(self.host)


def load(**overrides: Any) -> Settings:
    """Return the settings from the environment, with `overrides` that are not None on top.

    Raises SettingsRefused with every problem: values that are not valid, variables that are no setting, combinations
    that would be dangerous.
    """
    found = _unknown(os.environ)
    settings: Settings | None = None
    try:
        settings = Settings(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        found += [_wrong_value(one) for one in error.errors(include_input=False, include_url=False)]
    if settings is not None:
        found += problems(settings)
    if settings is None or found:
        listed = "\n".join(f"  - {one}" for one in found)
        count = "one setting needs" if len(found) == 1 else f"{len(found)} settings need"
        raise SettingsRefused(
            f"Handrail does not start: {count} a change.\n{listed}",
            hint="Every setting is described in docs/reference/settings.md.",
            problems=found,
        )
    return settings


def problems(settings: Settings) -> list[str]:
    """Return a sentence for everything that is wrong or dangerous about `settings` together; [] when nothing is."""
    return [
        *_binding(settings),
        *_tls_files(settings),
        *_public_url(settings),
        *_database(settings),
        *_home(settings),
        *_names(settings),
        *_outgoing(settings),
    ]


def masked(url: str) -> str:
    """Return a database URL without its password and parameters, for logs and screens."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
        user = f"{parts.username}@" if parts.username else ""
    except ValueError:
        return "(not a URL)"
    if parts.scheme == "sqlite":
        return f"sqlite://{parts.path}"
    return f"{parts.scheme}://{user}{host}{port}{parts.path}"


def is_loopback(host: str) -> bool:
    """Return whether an address to listen on is reached from this computer only."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _unknown(environment: Mapping[str, str]) -> list[str]:
    known = [name.upper() for name in Settings.model_fields]
    found = []
    for name in sorted(environment):
        short = name.upper().removeprefix(PREFIX)
        if short == name.upper() or short in known:
            continue
        near = difflib.get_close_matches(short, known, n=1, cutoff=0.6)
        found.append(f"{name} is not a setting." + (f" Did you mean {PREFIX}{near[0]}?" if near else ""))
    return found


def _wrong_value(error: Any) -> str:
    name = PREFIX + str(error["loc"][0]).upper() if error["loc"] else "The settings"
    if error["type"] == "extra_forbidden":
        return f"{name} is not a setting."
    return f"{name}: {str(error['msg']).removeprefix('Value error, ')}."


def _binding(settings: Settings) -> list[str]:
    if settings.is_loopback or settings.tls or settings.allow_insecure_bind:
        return []
    return [
        f"HANDRAIL_HOST: {settings.host} can be reached from other computers, and the line would not be encrypted. Set "
        "HANDRAIL_TLS_CERT and HANDRAIL_TLS_KEY, or listen on 127.0.0.1 behind a proxy that encrypts, or accept the "
        "danger with HANDRAIL_ALLOW_INSECURE_BIND=true."
    ]


def _tls_files(settings: Settings) -> list[str]:
    cert, key = settings.tls_cert, settings.tls_key
    found = []
    if (cert is None) != (key is None):
        found.append("HANDRAIL_TLS_CERT and HANDRAIL_TLS_KEY belong together; one of them is not set.")
    for name, place in (("HANDRAIL_TLS_CERT", cert), ("HANDRAIL_TLS_KEY", key)):
        if place is not None and not place.is_file():
            found.append(f"{name}: there is no file {place}.")
    if key is not None and key.is_file() and key.stat().st_mode & 0o007:
        found.append(f"HANDRAIL_TLS_KEY: everybody on this computer can use {key}. Run: chmod 600 {key}")
    return found


def _public_url(settings: Settings) -> list[str]:
    url = settings.public_url
    if url is None:
        return []
    parts = _split_url(url)
    if parts is None or parts.scheme not in ("http", "https") or not _HOST.fullmatch(parts.hostname or ""):
        return ["HANDRAIL_PUBLIC_URL: must look like https://host or https://host/prefix."]
    found = []
    if parts.username is not None or parts.query or parts.fragment:
        found.append("HANDRAIL_PUBLIC_URL: holds more than https://host/prefix.")
    if parts.path.rstrip("/") != settings.prefix:
        found.append(
            f"HANDRAIL_PUBLIC_URL ends in the path {parts.path.rstrip('/') or '/'}, HANDRAIL_PREFIX is "
            f"{settings.prefix or 'empty'}; they must be the same."
        )
    if parts.scheme == "http" and not is_loopback(parts.hostname or "") and not settings.allow_insecure_bind:
        found.append(
            "HANDRAIL_PUBLIC_URL: passwords would travel over http in the clear. Use https, or accept the danger with "
            "HANDRAIL_ALLOW_INSECURE_BIND=true."
        )
    return found


def _database(settings: Settings) -> list[str]:
    # The URL may hold a password: no sentence here repeats it.
    parts = _split_url(settings.database)
    if parts is not None and parts.scheme == "sqlite":
        path = settings.database.removeprefix("sqlite:///")
        if not settings.database.startswith("sqlite:///") or not path or path == ":memory:" or "?" in path:
            return ["HANDRAIL_DATABASE_URL: must look like sqlite:////whole/path/handrail.db."]
        if not Path(path).absolute().is_relative_to(settings.home):
            return [
                "HANDRAIL_DATABASE_URL: a SQLite database lies in the home folder, which one process owns at a time. "
                "Set HANDRAIL_HOME to the folder of the database instead."
            ]
        if not settings.worker:
            return ["HANDRAIL_WORKER: on SQLite only the server can run the jobs. Leave it out, or use PostgreSQL."]
        return []
    if parts is None or parts.scheme != "postgresql" or len(parts.path) < 2:
        return [
            "HANDRAIL_DATABASE_URL: must look like postgresql://USER@HOST/NAME or sqlite:////whole/path/handrail.db."
        ]
    return []


def _home(settings: Settings) -> list[str]:
    home = settings.home
    if home.exists() and not home.is_dir():
        return [f"HANDRAIL_HOME: {home} is a file, not a folder."]
    if home == Path(home.anchor) or home == Path.home():
        return [f"HANDRAIL_HOME: {home} holds other things; name a folder of its own."]
    found = []
    if home.is_dir() and home.stat().st_mode & 0o002:
        found.append(f"HANDRAIL_HOME: everybody on this computer can write to {home}. Run: chmod 700 {home}")
    keys = home / "keys"
    open_keys = [place for place in (keys, *_inside(keys)) if place.exists() and place.stat().st_mode & 0o077]
    if open_keys:
        found.append(
            f"HANDRAIL_HOME: others on this computer can read {open_keys[0]}, which holds secret keys. "
            f"Run: chmod -R go-rwx {keys}"
        )
    return found


def _inside(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir()) if folder.is_dir() else []
    except PermissionError:
        return []


def _names(settings: Settings) -> list[str]:
    found = [
        f"HANDRAIL_ALLOWED_HOSTS: {name} is not a host name."
        for name in settings.allowed_hosts
        if not _HOST.fullmatch(name)
    ]
    found += [
        f"HANDRAIL_TRUSTED_PROXIES: {one} is not an address." for one in settings.trusted_proxies if not _network(one)
    ]
    if not (_HOST.fullmatch(settings.host) or _network(settings.host.strip("[]"))):
        found.append("HANDRAIL_HOST: is neither an address nor a host name.")
    if settings.compute != "local":
        found.append("HANDRAIL_COMPUTE: this version runs heavy steps on this computer only: local.")
    if settings.url is not None:
        parts = _split_url(settings.url)
        if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
            found.append("HANDRAIL_URL: must look like https://host/prefix.")
    return found


def _outgoing(settings: Settings) -> list[str]:
    return [
        f"HANDRAIL_OUTGOING_NETWORKS: {one} is not a network."
        for one in settings.outgoing_networks
        if not _network(one)
    ]


def _network(text: str) -> bool:
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def _split_url(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts
