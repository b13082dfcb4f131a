"""Make .venv from requirements.lock, or say in a line or two why that cannot be.

    python3 tools/environment.py      # `make setup`, and every target that needs .venv

In: requirements.lock and constraints-cuda.lock; pip's own settings (PIP_INDEX_URL and
the like) are the reader's. Out: .venv with every pin and mazelib in place, and
.venv/ready, which says that it is whole. Where the set-up fails or is interrupted,
.venv is what it was before, and all that pip said is in _build/setup.log.

Nothing but Python is needed, and any Python 3 reads this file, so that one that is too
old can be told so.
"""

import importlib.util
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST, BEYOND = (3, 11), (3, 15)
LOCK = "requirements.lock"
PACKAGE = r"(?:Collecting|Ignoring|Requirement already satisfied:) ([\w.-]+)"
BIN = "Scripts" if os.name == "nt" else "bin"
FIRST = ("setuptools", "wheel")
"""What builds the packages that have no wheel: installed before them."""

REMEDIES = (
    (
        r"No space left on device|Errno 28\b|not enough space on the disk",
        "the disk is full: make room (the packages take 3 GB, those of a CUDA build "
        "of torch as much again; pip unpacks them in TMPDIR first)",
    ),
    (
        r"NewConnectionError|Failed to establish|name resolution|getaddrinfo failed"
        r"|timed out|Network is unreachable|Connection refused|ProxyError|SSLError"
        r"|No matching distribution found for setuptools",  # any index has that
        "no package index answers: look at the network (and at the proxy and "
        "PIP_INDEX_URL, if you set them)",
    ),
    (
        r"No matching distribution found",
        "a package is not to be had for this Python and system: Linux with glibc "
        "2.28 and newer, macOS 14 and newer on Apple silicon, and 64-bit Windows are "
        "known to work",
    ),
    (
        r"Permission denied|Access is denied|Errno 13\b|Read-only file system",
        "a file cannot be written: look whose this folder is, and close what uses "
        ".venv",
    ),
)


class Stopped(Exception):
    """The set-up cannot go on: what is missing, and what to do."""


def works(name: str) -> bool:
    """Is this a command that starts (pyenv's may only say no) and has venv?"""
    if not shutil.which(name):
        return False
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.call([name, "-c", "import ensurepip, venv"], **silent) == 0


def other_python() -> str:
    """How to name a Python that would do to make: this machine's, if it has one."""
    minors = range(BEYOND[1] - 1, OLDEST[1] - 1, -1)
    names = (f"python{OLDEST[0]}.{minor}" for minor in minors)
    return f"make PYTHON={next(filter(works, names), 'python3.12')}"


def unfit(version: tuple, system: tuple, has_module) -> "str | None":
    """Why a Python of this version, on this (system, machine), will not do, or None."""
    major, minor, micro = version[:3]
    if not OLDEST <= (major, minor) < BEYOND:
        return (
            f"Python {OLDEST[0]}.{OLDEST[1]} to {BEYOND[0]}.{BEYOND[1] - 1} is needed, "
            f"this is {major}.{minor}.{micro}: install one and name it, "
            + other_python()
        )
    if not (has_module("venv") and has_module("ensurepip")):
        return (
            "this Python has no venv module: on Debian and Ubuntu, apt install "
            f"python{major}.{minor}-venv; or name another Python, {other_python()}"
        )
    if system == ("Darwin", "x86_64"):
        return (
            "PyTorch is no longer built for Intel Macs: on Apple silicon, name a "
            "Python that is built for arm64 (make PYTHON=...)"
        )
    return None


def diagnosis(said: list) -> str:
    """What went wrong and what to do, in two lines, from what pip said."""
    text = "\n".join(said)
    causes = [cause for pattern, cause in REMEDIES if re.search(pattern, text)]
    lines = [line.strip() for line in said if line.strip()]
    errors = [line for line in lines if re.match(r"ERROR|error|\w*Error\b", line)]
    last = (errors or lines or ["nothing"])[-1]
    cause = causes[0] if causes else "the packages could not be installed"
    return f"{cause}\nThe last that was said: {last[:300]}"


class Progress:
    """One line that counts packages on a terminal; a few lines elsewhere."""

    def __init__(self, total: int, out) -> None:
        self.total, self.out, self.seen = total, out, set()
        self.live = out.isatty()

    def show(self, text: str, passing: bool) -> None:
        """Say something; what is passing is overwritten, or left out of a file."""
        if self.live:
            self.out.write(f"\r\x1b[K  {text[:76]}" + ("" if passing else "\n"))
        elif not passing:
            self.out.write(f"  {text}\n")
        self.out.flush()

    def read(self, line: str) -> None:
        """Take in a line of pip's."""
        package = re.match(PACKAGE, line)
        download = re.match(r"\s*Downloading (?:\S*/)?(.*)", line)
        if package and package.group(1) not in self.seen:
            self.seen.add(package.group(1))
            self.count(package.group(1), passing=len(self.seen) % 60 != 0)
        elif download:
            self.count(download.group(1), passing=True)
        elif line.startswith("Installing collected packages"):
            number = line.count(",") + 1
            self.show(f"installing {number} packages", passing=False)

    def count(self, name: str, passing: bool) -> None:
        """Say how far the collecting is."""
        self.show(f"{len(self.seen)} of {self.total} packages: {name}", passing)


def clean_environment() -> dict:
    """The reader's variables, less those that would lead pip out of .venv."""
    lead_out = ("PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT")
    kept = {name: os.environ[name] for name in os.environ if name not in lead_out}
    kept.update(PYTHONNOUSERSITE="1", PYTHONUNBUFFERED="1", PIP_USER="0")
    kept.update(PIP_NO_INPUT="1", PIP_PROGRESS_BAR="off", PIP_REQUIRE_VIRTUALENV="0")
    kept.update(PIP_DISABLE_PIP_VERSION_CHECK="1", PYTHONIOENCODING="utf-8")
    return kept


def run(command: list, root: Path, said: list, read=lambda line: None) -> None:
    """Run a command, keep each line it says, raise Stopped if it fails."""
    process = subprocess.Popen(
        [str(word) for word in command],
        cwd=str(root),
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        for raw in process.stdout:
            line = raw.decode("utf-8", "replace").rstrip()
            said.append(line)
            read(line)
        if process.wait():
            raise Stopped(diagnosis(said))
    finally:  # of an interruption, too
        if process.poll() is None:
            process.terminate()
        process.wait()
        process.stdout.close()


def pins(root: Path) -> list:
    """The lines of the lock that pin a package."""
    lines = (root / LOCK).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if "==" in line]


def steps(root: Path):
    """The commands that make the environment, in order, to run in the root."""
    pip = [Path(".venv") / BIN / "python", "-m", "pip", "install"]
    first = [pin for pin in pins(root) if pin.split("==")[0] in FIRST]
    yield [sys.executable, "-m", "venv", ".venv"]
    yield [*pip, *first]
    yield [*pip, "--no-build-isolation", "--requirement", LOCK]
    yield [*pip, "--no-build-isolation", "--no-deps", "--editable", "."]


@contextmanager
def whole_or_as_before(venv: Path):
    """Make way for a new environment; put the old one back if none is made."""
    before, ready = venv.with_name(".venv-before"), venv / "ready"
    if before.exists() and not ready.exists():  # a set-up was killed: undo it
        shutil.rmtree(str(venv), ignore_errors=True)
        before.rename(venv)
    shutil.rmtree(str(before), ignore_errors=True)
    if ready.exists():
        venv.rename(before)
    else:
        shutil.rmtree(str(venv), ignore_errors=True)
    try:
        yield
        ready.write_text("")
    except BaseException:
        shutil.rmtree(str(venv), ignore_errors=True)
        if before.exists():
            before.rename(venv)
        raise
    shutil.rmtree(str(before), ignore_errors=True)


@contextmanager
def alone(path: Path):
    """Hold a file for as long as this process lives; Stopped if another holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(str(path), "w") as file:
        try:
            if os.name == "nt":
                import msvcrt

                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Stopped("another set-up is under way: wait for it") from None
        yield


def make(root: Path, said: list, out) -> None:
    """Make root/.venv; what the commands say is added to `said`."""
    progress = Progress(len(pins(root)), out)
    with alone(root / "_build" / "setup.lock"), whole_or_as_before(root / ".venv"):
        for command in steps(root):
            packages = "--requirement" in command
            run(command, root, said, progress.read if packages else lambda line: None)


def keep(log: Path, said: list) -> str:
    """Write what was said to a file; the end of a sentence that says where it is."""
    try:
        log.write_text("\n".join(said) + "\n", encoding="utf-8")
    except OSError:
        return "; a log of it could not be written"
    return f"; all of it is in {log.parent.name}/{log.name}"


def main(root: Path = ROOT, out=sys.stdout) -> int:
    """Make the environment; the exit code is 0, 1 for a failure, 130 if interrupted."""
    system = platform.system(), platform.machine()
    problem = unfit(sys.version_info, system, importlib.util.find_spec)
    if problem:
        print(problem, file=sys.stderr)
        return 1
    said, log = [], root / "_build" / "setup.log"
    print("Setting up .venv (a few minutes, once)", file=out, flush=True)
    try:
        make(root, said, out)
    except KeyboardInterrupt:
        print("\nInterrupted: .venv is as before; start it again", file=sys.stderr)
        return 130
    except (Stopped, OSError) as error:
        text = str(error) if isinstance(error, Stopped) else diagnosis([str(error)])
        kept = keep(log, said) if said else ""
        start = "\n" if out.isatty() else ""  # below the line of progress
        print(f"{start}The set-up stopped: {text}{kept}", file=sys.stderr)
        return 1
    if log.exists():
        log.unlink()
    return 0


def interruptible() -> None:
    """Let a closed terminal and a request to end interrupt, as Ctrl-C does."""
    for name in ("SIGTERM", "SIGHUP"):  # Windows has not both
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)


if __name__ == "__main__":
    interruptible()
    sys.exit(main())
