"""Installs the core of Handrail into an empty environment and counts packages and bytes.

pip and setuptools are not counted, they are there before. The peer's figures were measured once in the same way (a
fresh environment, plain pip) and stand here as reference figures, with the version they belong to.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from bench.report import Line, report

ROOT = Path(__file__).resolve().parent.parent.parent
PEER = "Label Studio 1.23: {} (measured before, not in this run)"
NOT_COUNTED = frozenset({"pip", "setuptools", "wheel"})


def install(folder: Path) -> Path:
    """Make an environment with the locked core and this package, as a user gets it; return its site-packages."""
    venv.EnvBuilder(with_pip=True).create(folder)
    python = str(folder / "bin" / "python")
    pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "-r", str(ROOT / "requirements" / "core.txt")], check=True)
    wheels = folder.parent / "wheels"
    build = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "wheel"]
    subprocess.run([*build, "--no-deps", "--no-build-isolation", "-w", str(wheels), str(ROOT)], check=True)
    subprocess.run([*pip, "install", "--no-deps", *map(str, wheels.glob("*.whl"))], check=True)
    place = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(place.stdout.strip())


def packages(folder: Path) -> list[str]:
    """Return the names pip lists."""
    python = str(folder / "bin" / "python")
    listed = subprocess.run([python, "-m", "pip", "list", "--format=json"], capture_output=True, text=True, check=True)
    return sorted(entry["name"] for entry in json.loads(listed.stdout) if entry["name"] not in NOT_COUNTED)


def megabytes(site: Path) -> dict[str, float]:
    """Return the sum of file sizes in MB below each folder of site-packages, compiled files included."""
    sizes: dict[str, float] = {}
    for path in site.rglob("*"):
        if path.is_file() and not path.is_symlink():
            top = path.relative_to(site).parts[0]
            if top.partition("-")[0] not in NOT_COUNTED:
                sizes[top] = sizes.get(top, 0.0) + path.stat().st_size / 1e6
    return sizes


def main() -> int:
    """Measure and report."""
    with tempfile.TemporaryDirectory(prefix="handrail-size-") as folder:
        environment = Path(folder) / "environment"
        site = install(environment)
        names = packages(environment)
        sizes = megabytes(site)
    largest = sorted(sizes.items(), key=lambda entry: -entry[1])[:10]
    lines = [
        Line("packages", len(names), "", at_most=65, peer=PEER.format("159")),
        Line("size", sum(sizes.values()), "MB", at_most=600, peer=PEER.format("995 MB")),
    ]
    return report("install_size", lines, facts={"packages": names, "largest_mb": {k: round(v, 1) for k, v in largest}})


if __name__ == "__main__":
    sys.exit(main())
