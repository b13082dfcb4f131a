"""Renew the lock, or check that it can be installed wherever README says so.

    python tools/lock.py              # make lock
    python tools/lock.py --check      # make check-lock

In: pyproject.toml and the present pins. Out: requirements.lock, one exact pin a line,
with a marker where it is not for every Python and system; constraints-cuda.lock, what
a CUDA build of torch brings; environment.yml, the same lines for conda. Pins stay where
they stand as long as pyproject.toml allows: to move one, delete its line first.

Both commands need uv and the network. What is written has been checked: for every
Python and system of README, each pin is there as a wheel, the pins agree with one
another and with pyproject.toml, and nothing beyond them is asked for.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROJECT, LOCK, CUDA, CONDA = (
    "pyproject.toml",
    "requirements.lock",
    "constraints-cuda.lock",
    "environment.yml",
)
PYTHONS = ("3.11.0", "3.12", "3.13", "3.14")
SYSTEMS = {
    "Linux (x86_64)": "x86_64-manylinux_2_28",
    "Linux (aarch64)": "aarch64-manylinux_2_28",
    "macOS 14 (Apple silicon)": "aarch64-apple-darwin",
    "Windows (x86_64)": "x86_64-pc-windows-msvc",
}
MACOS = "14.0"
SOURCES_ONLY = ("transformers-stream-generator",)
"""What has no wheel; it is plain Python and is built from source anywhere."""

LOCK_HEADER = f"""\
# Every package of the environment, exactly pinned; `make lock` renews it.
-c {CUDA}
"""
CUDA_HEADER = """\
# What a CUDA build of torch brings, pinned: installed only where torch asks for it.
"""
CONDA_HEADER = """\
# The environment of requirements.lock for conda users; `make lock` renews it.
name: mazelib
channels:
  - conda-forge
dependencies:
  - python>=3.11,<3.15
  - pip
  - pip:
"""


def uv() -> str:
    """The uv of .venv, or the one that is installed; exits if there is none."""
    folders = [str(ROOT / ".venv" / name) for name in ("bin", "Scripts")]
    found = shutil.which("uv", path=os.pathsep.join(folders)) or shutil.which("uv")
    return found or sys.exit("uv is needed for the lock: `make setup` installs it")


def compiled(*arguments: str | Path) -> str:
    """What `uv pip compile` prints; RuntimeError with uv's reason if it fails."""
    command = [uv(), "pip", "compile", "--quiet", "--no-header", "--no-annotate"]
    done = subprocess.run(
        [*command, "--all-extras", "--python", sys.executable, *arguments],
        env=os.environ | {"MACOSX_DEPLOYMENT_TARGET": MACOS, "UV_SYSTEM_CERTS": "1"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        causes = [line[7:] for line in said if line.startswith("cause: ")]
        raise RuntimeError((causes or said or ["uv gave no reason"])[-1])
    return done.stdout


def pins(*texts: str) -> list[str]:
    """The lines of lock files that pin a package, with their markers."""
    lines = [line for text in texts for line in text.splitlines()]
    return [line for line in lines if "==" in line and not line.startswith("#")]


def is_cuda(pin: str) -> bool:
    """Is a pin one of those that a CUDA build of torch brings?"""
    return re.match(r"nvidia-|cuda-|triton\b", pin) is not None


def rendered(resolved: str) -> dict[str, str]:
    """The files to write, by name, from what uv resolved."""
    cuda = [pin for pin in pins(resolved) if is_cuda(pin)]
    lock = LOCK_HEADER + "".join(f"{p}\n" for p in pins(resolved) if p not in cuda)
    lines = [line for line in lock.splitlines() if not line.startswith("#")]
    return {
        LOCK: lock,
        CUDA: CUDA_HEADER + "".join(f"{pin}\n" for pin in cuda),
        CONDA: CONDA_HEADER + "".join(f"      - {line}\n" for line in lines),
    }


def resolve(folder: Path) -> str:
    """A resolution of the project for all Pythons and systems, near the present pins.

    uv keeps what the file of its output pins already, where it can.
    """
    output = folder / "resolved.txt"
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in (LOCK, CUDA)]
    output.write_text("\n".join(pins(*texts)), encoding="utf-8")
    oldest = PYTHONS[0].rpartition(".")[0]
    universal = ["--universal", "--python-version", oldest, "--output-file", output]
    compiled(*universal, ROOT / PROJECT)
    return output.read_text(encoding="utf-8")


def problem(folder: Path, python: str, platform: str) -> str | None:
    """Why the lock in a folder cannot be installed on one system, or None."""
    only = [f"--no-binary={name}" for name in SOURCES_ONLY]
    system = ["--python-version", python, "--python-platform", platform]
    wheels = ["--only-binary=:all:", *only]
    try:
        needed = compiled(*wheels, *system, ROOT / PROJECT, folder / LOCK)
    except RuntimeError as error:
        return str(error)
    known = pins(*((folder / name).read_text("utf-8") for name in (LOCK, CUDA)))
    unknown = set(pins(needed)) - {pin.split(" ;")[0] for pin in known}
    return f"not in the lock: {', '.join(sorted(unknown))}" if unknown else None


def problems(folder: Path) -> list[str]:
    """One line for each Python and system that the lock in a folder fails on."""
    pairs = [(python, system) for system in SYSTEMS for python in PYTHONS]

    def reason(pair: tuple[str, str]) -> str | None:
        return problem(folder, pair[0], SYSTEMS[pair[1]])

    with ThreadPoolExecutor(4) as pool:
        reasons = list(pool.map(reason, pairs))
    if len(set(reasons)) == 1 and reasons[0] is not None:
        return [f"Every Python on every system: {reasons[0]}"]
    return [
        f"Python {python} on {system}: {reason}"
        for (python, system), reason in zip(pairs, reasons, strict=True)
        if reason is not None
    ]


def check(folder: Path) -> None:
    """Exit with what does not install, if anything does not."""
    found = problems(folder)
    if found:
        sys.exit("\n".join(["The lock does not pass for:", *found]))
    print(f"The lock installs on {len(PYTHONS)} Pythons × {len(SYSTEMS)} systems")


def renew() -> None:
    """Write the three files, once they have been checked."""
    with tempfile.TemporaryDirectory(dir=ROOT, prefix=".lock-") as name:
        folder = Path(name)
        try:
            files = rendered(resolve(folder))
        except RuntimeError as error:
            sys.exit(f"the packages of {PROJECT} do not go together: {error}")
        for file, text in files.items():
            (folder / file).write_text(text, encoding="utf-8")
        check(folder)
        for file in files:
            os.replace(folder / file, ROOT / file)


def main(arguments: list[str] | None = None) -> None:
    """Renew the lock or, with --check, look whether it installs."""
    parser = argparse.ArgumentParser(description="Renew or check requirements.lock.")
    parser.add_argument("--check", action="store_true", help="write nothing")
    check(ROOT) if parser.parse_args(arguments).check else renew()


if __name__ == "__main__":
    main()
