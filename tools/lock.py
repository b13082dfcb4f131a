"""Renew requirements.lock and environment.yml: install the project afresh, freeze it.

    python3 tools/lock.py

What the present lock pins stays as it is; a package that is new to pyproject.toml is
added at its newest version. To move a package, delete its line first.
"""

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
ENVIRONMENT = ROOT / "environment.yml"
OWN = ("mazelib", "pip")

LOCK_HEADER = (
    "# Every package of the environment, exactly pinned; `make lock` renews it.\n"
)
ENVIRONMENT_HEADER = """\
# The environment of requirements.lock for conda users; `make lock` renews it.
name: mazelib
channels:
  - conda-forge
dependencies:
  - python=3.11
  - pip
  - pip:
"""


def freeze() -> list[str]:
    """The pins of a fresh environment with the project and all its extras."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = str(Path(folder, "bin", "python"))
        project = f"{ROOT}[book,dev]"
        pip = [python, "-m", "pip"]
        subprocess.run([*pip, "install", "-qq", "-c", str(LOCK), project], check=True)
        frozen = subprocess.run(
            [*pip, "freeze", "--all"], check=True, capture_output=True, text=True
        ).stdout
    pins = [line.split("+")[0] for line in frozen.split("\n") if "==" in line]
    return sorted((pin for pin in pins if pin.split("==")[0] not in OWN), key=str.lower)


def main() -> None:
    """Write both files."""
    pins = freeze()
    LOCK.write_text(LOCK_HEADER + "".join(f"{pin}\n" for pin in pins))
    lines = "".join(f"      - {pin}\n" for pin in pins)
    ENVIRONMENT.write_text(ENVIRONMENT_HEADER + lines)
    print(f"{len(pins)} packages pinned", file=sys.stderr)


if __name__ == "__main__":
    main()
