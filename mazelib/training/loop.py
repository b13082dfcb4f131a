"""The training loop: a TrainConfig in, a trained model, its log and its folder out.

    config = TrainConfig(StreamConfig(MazeConfig("dfs", 5), questions=8), steps=2000)
    model, log = train(config, "runs/dfs5")

Each step sees fresh mazes of the training split; every maze's edge list is described
once and asked several questions (`StreamConfig.questions`), whose answers alone are
scored. Optimizer: Muon and AdamW (`mazelib.training.muon`), a short warm-up, then a
flat or falling rate; the model that is scored and saved may average the latest weights.
Where the hardware multiplies bfloat16, the forward pass runs in it. The loss is in the
form that the device is fastest with (`mazelib.training.losses`).

A run killed at any moment continues when it is started again, to the same bits on a
CPU. Started by `accelerate launch`, several processes share each batch.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout
from tqdm import tqdm
from transformers import PreTrainedModel

from mazelib.errors import MazelibError
from mazelib.evidence.intervals import wilson
from mazelib.files import remove_leftovers, replacing_folder, writing
from mazelib.models import checkpoint, zoo
from mazelib.training import snapshot
from mazelib.training.recipe import TrainConfig
from mazelib.training.run import COLUMNS, TrainingRun

LOCK = "lock"
"""A file in the folder of a run's state, which the run locks as long as it lasts."""


EXISTS, TAKEN, REFUSED = 1, 2, 3
VERDICTS = {
    EXISTS: "exists: name another, or remove it first",
    TAKEN: "is where another process is training: wait until it is done, or name "
    "another folder",
    REFUSED: "cannot be written: make room, or name a folder where you may write",
}
"""Why a run does not begin. Processes that share it tell each other the number."""


class TrainResult(NamedTuple):
    """What a run leaves: the model in eval mode, and the log's rows.

    There is a row every `LOG_EVERY` steps and at validations: step, mean loss since the
    row before (nats a token), questions seen, seconds in training steps; `exact` at
    validations.
    """

    model: PreTrainedModel
    log: list[dict]


def train(
    config: TrainConfig,
    folder: str | Path | None = None,
    on_evaluation: Callable[[int, PreTrainedModel], dict | None] | None = None,
    progress: bool = True,
) -> TrainResult:
    """Train a model; the same config gives the same run.

    folder: where the model goes (see `mazelib.models.checkpoint`) with log.jsonl and
    its
        ladder, anew at every validation. What is needed to continue lies beside it, in
        FOLDER.state. None writes nothing.
    on_evaluation: called with the number of this run's steps done and the model, before
        the first and at every validation; what it returns then joins the log's row.
    progress: show a bar with the loss, the validation's exact-match and the time left.

    Raises MazelibError if the folder holds something else, another process trains into
    it, a sequence outgrows the positions, or the disk is full.
    """
    run = TrainingRun(config)
    run.check_positions(run.validation.encode(config.model.tokenizer))
    if folder is None:
        run.begin()
        return go_on(run, None, on_evaluation, progress)
    with alone(run, Path(folder)):
        start(run, Path(folder))
        return go_on(run, Path(folder), on_evaluation, progress)


def go_on(
    run: TrainingRun,
    folder: Path | None,
    on_evaluation: Callable | None,
    progress: bool,
) -> TrainResult:
    """Take the steps that are left, with all that `train` does at some of them."""
    if on_evaluation and run.done == 0 and run.is_main:
        on_evaluation(0, run.averaged)
    bar = progress_bar(run, progress and run.is_main)
    for _ in bar:
        run.step()
        if run.config.is_evaluated_at(run.done):
            run.evaluate(on_evaluation)
            row = run.log[-1]
            shown = {name: f"{row.get(name, 0):.3f}" for name in ("loss", "exact")}
            bar.set_postfix(**shown)
            if folder is not None:
                save(run, folder)
    if folder is not None and run.is_main and not folder.exists():
        save_model(run, folder, ladder_folder(folder))
    return TrainResult(run.averaged, run.log)


def progress_bar(run: TrainingRun, is_shown: bool) -> tqdm:
    """The steps that are left, as a bar of all."""
    return tqdm(
        range(run.done, run.config.steps),
        "training",
        run.config.steps,
        initial=run.done,
        unit="step",
        disable=not is_shown,
    )


def state_folder(folder: Path) -> Path:
    """Where the state of a run lies that writes its model to `folder`."""
    return folder.with_name(f"{folder.name}.state")


def ladder_folder(folder: Path) -> Path:
    """Where a run keeps the checkpoints of its ladder while it goes on."""
    return state_folder(folder) / "ladder"


@contextmanager
def alone(run: TrainingRun, folder: Path) -> Iterator[None]:
    """Let no other run write to a folder; all processes of this one share the verdict.

    The operating system releases the lock of a process that ends, however it ends.
    Raises MazelibError if the folder is another run's, or no run's.
    """
    if not folder.name:
        raise MazelibError(f"{str(folder)!r} is no name for a new folder: give another")
    state = state_folder(folder)
    lock, verdict = FileLock(state / LOCK), 0
    if folder.exists() and not state.exists():
        verdict = EXISTS
    elif run.is_main:
        verdict = take(lock)
    if verdict := run.worst(verdict):
        raise MazelibError(f"{folder} {VERDICTS[verdict]}")
    try:
        yield
    finally:
        with suppress(OSError):  # nothing was begun, or it stays
            if lock.is_locked and [path.name for path in state.iterdir()] == [LOCK]:
                shutil.rmtree(state)
        lock.release()


def take(lock: FileLock) -> int:
    """Take a lock; the number of a verdict if it cannot be had."""
    try:
        Path(lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        return TAKEN
    except OSError:
        return REFUSED
    return 0


def start(run: TrainingRun, folder: Path) -> None:
    """Go on from the newest state of the same run, if there is one, or begin it.

    A run that begins with the weights of a model of the same mazes that has a ladder
    has its rungs, and the model, as the first of its own. Raises MazelibError if the
    folder holds something else, or another run's state.
    """
    state = snapshot.newest(state_folder(folder))
    if state is None and folder.exists():
        raise MazelibError(f"{folder} exists: name another, or remove it first")
    if state is not None:
        check_same(run.config, state.facts.get("config"), state_folder(folder))
        run.restore(state.tensors, state.facts)
    run.check_agreement()  # before anything is written: all have looked
    if run.is_main:
        for place in (folder, state_folder(folder), ladder_folder(folder)):
            remove_leftovers(place)
    if state is None:
        goes_on = run.begin()
        if run.is_main and goes_on:
            copy_ladder(run.config.weights, ladder_folder(folder))
        save_state(run, folder)


def copy_ladder(model: str, folder: Path) -> None:
    """Copy the checkpoints that a model came by, if any, and the model as one more."""
    rungs, own = zoo.ladder(model), zoo.folder_of(model)
    if not rungs:
        return
    last = f"{zoo.read_card(model)['steps']:06}"
    more = shutil.ignore_patterns("ladder", checkpoint.LOG, "README.md")
    with writing(folder), replacing_folder(folder) as temporary:
        for rung in rungs:
            shutil.copytree(rung, temporary / rung.name)
        shutil.copytree(own, temporary / last, ignore=more)


def check_same(config: TrainConfig, was: object, place: Path) -> None:
    """Raise MazelibError if a state was written by a run of another config."""
    now, was = flat(asdict(config)), flat(was) if isinstance(was, dict) else {}
    for name in now | was:
        if now.get(name) != was.get(name):
            raise MazelibError(
                f"{place} holds a run with {name} = {was.get(name)}, not "
                f"{now.get(name)}: give the same options to continue it, name another "
                "folder, or remove that one"
            )


def flat(config: dict, prefix: str = "") -> dict:
    """Nested dicts as one, their keys joined by dots."""
    found = {}
    for key, value in config.items():
        name = f"{prefix}{key}"
        is_nested = isinstance(value, dict)
        found |= flat(value, f"{name}.") if is_nested else {name: value}
    return found


def save(run: TrainingRun, folder: Path) -> None:
    """Write the model as it is, a rung of the ladder if one is due, and the state.

    The state comes last: whatever a kill leaves out is done again.
    """
    if run.is_main:
        ladder = ladder_folder(folder)
        if run.done in run.config.rungs:
            save_model(run, ladder / f"{run.log[-1]['step']:06}")
        save_model(run, folder, ladder)
    save_state(run, folder)


def save_state(run: TrainingRun, folder: Path) -> None:
    """Write what the run goes on from."""
    if run.is_main:
        facts = {"config": asdict(run.config), **run.facts}
        snapshot.write(state_folder(folder), run.done, run.tensors(), facts)
    run.accelerator.wait_for_everyone()


def save_model(run: TrainingRun, folder: Path, ladder: Path | None = None) -> None:
    """Write the averaged model with its card and the log so far."""
    last, n = run.log[-1], len(run.validation)
    metrics = {key: value for key, value in last.items() if key not in COLUMNS}
    facts = {
        "training": asdict(run.config),
        "seed": run.config.mazes.seed,
        "steps": last["step"],
        "questions": last["questions"],
        "seconds": last["seconds"],
        "metrics": {**metrics, "exact_ci": wilson(round(last["exact"] * n), n), "n": n},
    }
    checkpoint.save(
        folder,
        run.averaged,
        run.config.model,
        facts,
        {checkpoint.LOG: checkpoint.log_text(run.log)} if ladder else {},
        {"ladder": ladder} if ladder else {},
    )
