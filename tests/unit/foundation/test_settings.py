from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from handrail.foundation.settings import Settings, SettingsRefused, load, masked


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.upper().startswith("HANDRAIL_"):
            monkeypatch.delenv(name)


def _problems(tmp_path: Path, **overrides: Any) -> list[str]:
    with pytest.raises(SettingsRefused) as refused:
        load(**{"home": tmp_path / "home", **overrides})
    found = refused.value.facts["problems"]
    assert all(one in refused.value.sentence for one in found)
    assert refused.value.code == "settings.refused"
    return list(found)


def test_the_defaults_are_safe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load()
    assert settings.home == tmp_path / "handrail-data"
    assert settings.database == f"sqlite:///{tmp_path}/handrail-data/handrail.db"
    assert settings.is_loopback
    assert settings.uses_sqlite
    assert not settings.demo
    assert not settings.allow_insecure_bind


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        Settings().port = 1  # type: ignore[misc]


def test_the_environment_is_read_and_an_option_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDRAIL_PORT", "9000")
    monkeypatch.setenv("HANDRAIL_SESSION_HOURS", "3")
    monkeypatch.setenv("HANDRAIL_ALLOWED_HOSTS", "a.example, b.example,")
    settings = load(home=tmp_path, port=9001, host=None)
    assert (settings.port, settings.session_hours) == (9001, 3)
    assert settings.allowed_hosts == ("a.example", "b.example")


def test_every_setting_is_described() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert len(field.description) > 15, name


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "handrail.example"])
def test_a_bind_beyond_this_computer_needs_tls_or_a_flag(tmp_path: Path, host: str) -> None:
    (problem,) = _problems(tmp_path, host=host)
    assert "HANDRAIL_ALLOW_INSECURE_BIND" in problem
    assert load(home=tmp_path / "home", host=host, allow_insecure_bind=True).host == host
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.touch()
    key.touch(mode=0o600)
    assert load(home=tmp_path / "home", host=host, tls_cert=cert, tls_key=key).tls


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "LOCALHOST"])
def test_this_computer_needs_no_tls(tmp_path: Path, host: str) -> None:
    assert load(home=tmp_path / "home", host=host).is_loopback


def test_an_unknown_variable_is_named_with_its_neighbour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDRAIL_SESSION_HOUR", "3")
    monkeypatch.setenv("handrail_zzzzzzzz", "3")
    first, second = _problems(tmp_path)
    assert first == "HANDRAIL_SESSION_HOUR is not a setting. Did you mean HANDRAIL_SESSION_HOURS?"
    assert second == "handrail_zzzzzzzz is not a setting."


def test_variables_of_others_are_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDRAILING", "1")
    monkeypatch.setenv("PORT", "1")
    assert load(home=tmp_path / "home").port == 8731


def test_all_problems_are_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDRAIL_HOEM", "x")
    found = _problems(tmp_path, port="many", session_hours=0, log_level="loud")
    assert len(found) == 4
    assert "HANDRAIL_PORT" in found[1]
    found = _problems(tmp_path, host="0.0.0.0", tls_key=tmp_path / "none", public_url="ftp://x")
    assert len(found) == 5


def test_tls_needs_both_files_and_a_private_key(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.touch()
    key.touch()
    key.chmod(0o644)
    assert any("belong together" in one for one in _problems(tmp_path, tls_cert=cert))
    (problem,) = _problems(tmp_path, tls_cert=cert, tls_key=key)
    assert "chmod 600" in problem
    assert any("no file" in one for one in _problems(tmp_path, tls_cert=tmp_path / "gone.pem", tls_key=cert))


@pytest.mark.parametrize(
    "url",
    [
        "handrail.example",
        "ftp://handrail.example",
        "https://",
        "https://u:p@handrail.example",
        "https://handrail.example/?a=1",
        "https://handrail.example/#a",
        "https://bad_host!",
        "https://handrail.example:port",
        "https://[::1",
    ],
)
def test_a_bad_public_url_is_refused(tmp_path: Path, url: str) -> None:
    assert any("HANDRAIL_PUBLIC_URL" in one for one in _problems(tmp_path, public_url=url))


def test_the_public_url_and_the_prefix_agree(tmp_path: Path) -> None:
    (problem,) = _problems(tmp_path, public_url="https://handrail.example/review")
    assert "HANDRAIL_PREFIX" in problem
    settings = load(home=tmp_path / "home", public_url="https://handrail.example/review/", prefix="/review/")
    assert settings.prefix == "/review"


def test_a_public_url_in_the_clear_is_refused(tmp_path: Path) -> None:
    (problem,) = _problems(tmp_path, public_url="http://handrail.example")
    assert "in the clear" in problem
    assert load(home=tmp_path / "home", public_url="http://localhost:8731").public_url


@pytest.mark.parametrize("prefix", ["review", "/a b", '/"><script>', "/a//b", "//evil.example"])
def test_a_bad_prefix_is_refused(tmp_path: Path, prefix: str) -> None:
    (problem,) = _problems(tmp_path, prefix=prefix)
    assert problem.startswith("HANDRAIL_PREFIX")


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:s3cr3t@host/name",
        "postgresql://u:s3cr3t@host",
        "postgresql+psycopg2://u:s3cr3t@host/name",
        "sqlite://s3cr3t",
        "sqlite:///:memory:",
        "sqlite:////elsewhere/handrail.db",
        "s3cr3t",
        "postgresql://u:s3cr3t@host:port/name",
    ],
)
def test_a_bad_database_url_is_refused_without_repeating_it(tmp_path: Path, url: str) -> None:
    found = _problems(tmp_path, database_url=url)
    assert found[0].startswith("HANDRAIL_DATABASE_URL")
    assert "s3cr3t" not in str(found)


def test_a_database_password_is_never_shown(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    url = "postgresql://u:s3cr3t@db.example:5433/handrail?sslpassword=s3cr3t"
    settings = load(home=tmp_path / "home", database_url=url, token="hr_s3cr3t")
    assert settings.database == url
    with caplog.at_level(logging.INFO):
        logging.getLogger("test").info("%s %r %s", settings, settings, settings.model_dump())
    assert "s3cr3t" not in caplog.text
    assert "s3cr3t" not in settings.model_dump_json()
    assert masked(url) == "postgresql://u@db.example:5433/handrail"


def test_a_wrong_value_is_not_repeated(tmp_path: Path) -> None:
    assert "s3cr3t" not in str(_problems(tmp_path, session_hours="s3cr3t"))


def test_keys_that_others_can_read_are_refused(tmp_path: Path) -> None:
    keys = tmp_path / "home" / "keys"
    keys.mkdir(parents=True, mode=0o700)
    (keys / "signing").touch(mode=0o600)
    assert load(home=tmp_path / "home")
    (keys / "signing").chmod(0o644)
    (problem,) = _problems(tmp_path)
    assert "chmod -R go-rwx" in problem
    (keys / "signing").chmod(0o600)
    keys.chmod(0o755)
    assert len(_problems(tmp_path)) == 1


def test_a_home_that_is_no_folder_of_its_own_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("HOME", str(tmp_path))
    assert "is a file" in _problems(tmp_path, home=file)[0]
    assert "folder of its own" in _problems(tmp_path, home="/")[0]
    assert "folder of its own" in _problems(tmp_path, home=tmp_path)[0]
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    assert "chmod 700" in _problems(tmp_path, home=shared)[0]


def test_words_that_are_no_hosts_or_networks_are_refused(tmp_path: Path) -> None:
    found = _problems(
        tmp_path,
        allowed_hosts="good.example, http://bad.example",
        trusted_proxies="10.0.0.1,proxy",
        outgoing_networks="10.1.0.0/16,10.1.0.0/99",
        host="not a host",
        allow_insecure_bind=True,
        compute="ray://cluster",
        url="cluster",
    )
    assert len(found) == 6
