"""Puts the built web UI into the package, and refuses to make a wheel without it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BuildUi(BuildHookInterface[Any]):
    """Builds `web/` into `src/handrail/ui_dist` when it is not there yet.

    An editable install never builds: `make install` does that before, and a developer serves the UI from Vite. A wheel
    made from an sdist finds the assets in it, so that step needs no node.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the UI unless it is there; raises RuntimeError when a wheel or sdist would have none."""
        page = Path(self.root) / "src" / "handrail" / "ui_dist" / "index.html"
        if version == "editable" or page.is_file():
            return
        self._build(Path(self.root) / "web")
        if not page.is_file():
            raise RuntimeError(f"The web UI was built, yet {page} is missing; the package would serve no page.")

    def _build(self, web: Path) -> None:
        npm = shutil.which("npm")
        if npm is None or not (web / "package.json").is_file():
            raise RuntimeError(
                "The package has no web UI (src/handrail/ui_dist) and cannot build it here: "
                "run `make install` first, or put node >= 22 with npm on PATH."
            )
        environment = {**os.environ, "CI": "1"}
        for command in (["ci", "--no-audit", "--no-fund"], ["run", "build"]):
            subprocess.run([npm, *command], cwd=web, check=True, env=environment)
