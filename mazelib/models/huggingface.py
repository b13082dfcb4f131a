"""The files by which Hugging Face's classes open a model's folder without mazelib.

    check_files("data/models/dfs5", shape)     # they say what the shape says

config.json, generation_config.json, tokenizer.json and tokenizer_config.json. mazelib
builds its networks and vocabularies from the card alone; that these files say the same
is checked, so that whoever opens the folder otherwise has the same model.
"""

import json
from functools import lru_cache
from pathlib import Path
from reprlib import repr as short
from tempfile import TemporaryDirectory

import transformers
from transformers import GenerationConfig

from mazelib.errors import MazelibError
from mazelib.models import facts
from mazelib.models.model import MazeModelConfig, network_class
from mazelib.tokens.tokenizer import Tokenizer

CONFIG = "config.json"
GENERATION = "generation_config.json"
TOKENIZER = ("tokenizer.json", "tokenizer_config.json")
FILES = (CONFIG, GENERATION, *TOKENIZER)
VERSIONS = ("transformers_version", "version")


def hugging_face_tokenizer(tokenizer: Tokenizer):
    """The same vocabulary as a Hugging Face fast tokenizer that splits at spaces."""
    from tokenizers import Tokenizer as Fast
    from tokenizers import models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    fast = Fast(models.WordLevel(tokenizer.id_of, unk_token=tokenizer.vocabulary[0]))
    fast.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=fast,
        pad_token=tokenizer.vocabulary[0],
        eos_token="<PATH_END>",
        padding_side="left",
    )


def check_files(folder: str | Path, shape: MazeModelConfig) -> None:
    """Raise MazelibError unless a folder's files are those of a model of this shape.

    Where the version of transformers that is installed wrote them, they must say just
    what it writes. Of another version's, what both know must be the same, and what is
    left out must be the default.
    """
    folder = Path(folder)
    found = {name: facts.read(folder / name) for name in (CONFIG, GENERATION)}
    version = found[CONFIG].get("transformers_version")
    is_ours = version == transformers.__version__
    wanted = {**model_files(shape), **tokenizer_files(shape.tokenizer)}
    for name, (expected, defaults) in wanted.items():
        said = found.get(name) or facts.read(folder / name)
        _check(folder / name, said, expected, defaults, is_ours)


def _check(
    path: Path, found: dict, expected: dict, defaults: dict, is_ours: bool
) -> None:
    """Raise MazelibError for the first key of a file that says something else."""
    keys = expected.keys() | (found.keys() if is_ours else set())
    for key in sorted(keys - set(VERSIONS)):
        says = found.get(key, defaults.get(key))
        wants = expected.get(key)
        is_known = key in expected or key not in found
        if not is_known or _exact(says) != _exact(wants):
            raise MazelibError(
                f"{path} says {short(key)}: {short(says)}, but the card's model has "
                f"{short(wants)}: the folder is damaged; restore it, or train again"
            )


def _exact(value: object) -> str | None:
    """A text that is the same for the same JSON alone: 8 is not 8.0, nor is 1 true."""
    try:
        return json.dumps(value, sort_keys=True)
    except RecursionError:
        return None  # nested too deep to be of any file that is written here


Files = dict[str, tuple[dict, dict]]
"""What files hold, and the defaults of what may be left out of them, by name."""


@lru_cache(maxsize=32)
def model_files(shape: MazeModelConfig) -> Files:
    """What config.json and generation_config.json say of a model."""
    config, kind = shape.to_hugging_face(), network_class(shape)
    generation = GenerationConfig.from_model_config(config)
    config.architectures, config.dtype = [kind.__name__], "float32"
    generation.pad_token_id = 0
    return {
        CONFIG: (_plain(config), _plain(type(config)())),
        GENERATION: (_plain(generation), _plain(GenerationConfig())),
    }


@lru_cache(maxsize=32)
def tokenizer_files(tokenizer: Tokenizer) -> Files:
    """What tokenizer.json and tokenizer_config.json say of a vocabulary."""
    with TemporaryDirectory() as folder:
        hugging_face_tokenizer(tokenizer).save_pretrained(folder)
        return {name: (facts.read(Path(folder) / name), {}) for name in TOKENIZER}


def _plain(config) -> dict:
    """All that a config holds, as JSON gives it back."""
    return json.loads(json.dumps(config.to_dict()))
