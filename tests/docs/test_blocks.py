"""The code on the first page, in tutorials and explanations runs, block after block, in an empty folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import BlockFailed, blocks, run_page
from tools.tree import ROOT

PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs" / "tutorial").glob("*.md")),
    *sorted((ROOT / "docs" / "explanation").glob("*.md")),
    ROOT / "docs" / "how-to" / "annotate.md",
    ROOT / "docs" / "how-to" / "decide-from-your-service.md",
    ROOT / "docs" / "how-to" / "demos.md",
    ROOT / "docs" / "how-to" / "losses.md",
    ROOT / "docs" / "how-to" / "move-from-dvc.md",
    ROOT / "docs" / "how-to" / "move-from-argilla.md",
    ROOT / "docs" / "how-to" / "move-from-label-studio.md",
    ROOT / "docs" / "how-to" / "truth-in-a-notebook.md",
    ROOT / "docs" / "how-to" / "try-a-policy.md",
    ROOT / "docs" / "how-to" / "watch-in-a-notebook.md",
]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", PAGES, ids=[page.relative_to(ROOT).as_posix() for page in PAGES])
def test_the_code_of_a_page_runs(page: Path, tmp_path: Path) -> None:
    folder = tmp_path / "reader"
    folder.mkdir()
    run_page(page, folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "reader"
    made.mkdir()
    return made


def _page(folder: Path, text: str) -> Path:
    page = folder.parent / "page.md"
    page.write_text(text, encoding="utf-8")
    return page


def test_blocks_share_a_folder_and_what_they_export(folder: Path) -> None:
    text = "```bash\nexport NAME=Ada\necho hello > file\n```\n```sh\ntest $NAME = Ada\ntest -f file\n```\n"
    assert run_page(_page(folder, text), folder) == 2


def test_python_blocks_share_their_names(folder: Path) -> None:
    text = "```python\nx = 1\nprint(x)\n```\ntext\n```python\nassert x == 1\n```\n"
    assert run_page(_page(folder, text), folder) == 2


@pytest.mark.parametrize("text", ["```bash\nfalse\ntrue\n```", "```bash\nfalse | cat\n```", "```python\nassert 0\n```"])
def test_a_block_that_fails_is_found(folder: Path, text: str) -> None:
    with pytest.raises(BlockFailed, match="line 1"):
        run_page(_page(folder, text), folder)


def test_output_and_marked_blocks_are_not_run(folder: Path) -> None:
    text = "```\nfalse\n```\n```json\nfalse\n```\n<!-- not run: it needs a cluster -->\n```bash\nfalse\n```\n"
    assert run_page(_page(folder, text), folder) == 0
    assert [block.not_run for block in blocks(text)] == ["", "", "it needs a cluster"]


def test_a_block_in_a_list_loses_its_indent() -> None:
    assert [block.text for block in blocks("1. do\n\n   ```bash\n   echo a\n     b\n   ```\n")] == ["echo a\n  b\n"]


def test_what_a_page_leaves_running_is_ended(folder: Path) -> None:
    text = "```bash\nsleep 300 &\necho $! > pid\n```\n"
    run_page(_page(folder, text), folder)
    pid = int((folder / "pid").read_text())
    status = Path(f"/proc/{pid}/stat")
    assert not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"
