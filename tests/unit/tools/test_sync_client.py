"""The blocking client is the awaited one without the waiting, and never edited by hand."""

from __future__ import annotations

from tools.sync_client import TARGET, blocking, written


def test_the_committed_client_is_the_one_that_is_written() -> None:
    assert {path.name: path.read_text(encoding="utf-8") for path in TARGET.glob("*.py")} == written()


def test_words_of_waiting_go_and_names_change() -> None:
    text = (
        "async def f(c: AsyncClient) -> AsyncIterator[int]:\n    async for one in c:\n        await one.__aenter__()\n"
    )
    assert blocking(text) == "def f(c: Client) -> Iterator[int]:\n    for one in c:\n        one.__enter__()\n"
    assert blocking("an asynchronous word, an await_s") == "an asynchronous word, an await_s"
