import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoTokenizer

from mazelib import checkpoint
from mazelib.errors import MazelibError
from mazelib.model import inputs


@pytest.fixture
def folder(tiny_model, tiny_config, tmp_path):
    checkpoint.save(tmp_path / "model", tiny_model, tiny_config, {"seed": 1})
    return tmp_path / "model"


def test_loading_undoes_saving(folder, tiny_model, tiny_config, few):
    trained = checkpoint.load(folder)
    batch = few[:4].encode(tiny_config.tokenizer)
    for parameter in tiny_model.parameters():
        parameter.data = parameter.data.half().float()
    a, b = (m(**inputs(batch)).logits for m in (tiny_model, trained.model))
    assert torch.equal(a, b)
    stored = load_file(folder / checkpoint.WEIGHTS).values()
    assert {tensor.dtype for tensor in stored} == {torch.float16}
    assert trained.tokenizer == tiny_config.tokenizer
    assert trained.card["seed"] == 1
    assert trained.card["parameters"] == sum(p.numel() for p in tiny_model.parameters())
    assert {p.suffix for p in folder.iterdir()} == {".json", ".safetensors"}


def test_the_folder_opens_without_mazelib(folder, few):
    code = (
        "import sys; from transformers import AutoModelForCausalLM as M;"
        f"m = M.from_pretrained({str(folder)!r}); assert 'mazelib' not in sys.modules;"
        "assert str(m.dtype) == 'torch.float32', m.dtype; print(m.num_parameters())"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert int(out.stdout) > 1000


def test_the_hugging_face_tokenizer_agrees(folder, few, tiny_config):
    fast = AutoTokenizer.from_pretrained(folder)
    tokenizer = tiny_config.tokenizer
    ids = tokenizer.encode(*few[0], key=3)
    text = tokenizer.to_text(ids)
    assert fast(text)["input_ids"] == ids.tolist()
    assert np.array_equal(tokenizer.from_text(fast.decode(ids)), ids)


def test_damage_is_found(folder):
    weights = folder / checkpoint.WEIGHTS
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(MazelibError, match="the file is damaged"):
        checkpoint.load(folder)
    weights.unlink()
    with pytest.raises(MazelibError, match="is missing"):
        checkpoint.load(folder)
    (folder / "card.json").write_text("{")
    with pytest.raises(MazelibError, match=r"card.json is damaged"):
        checkpoint.load(folder)
    (folder / "card.json").write_text("{}")
    with pytest.raises(MazelibError, match=r"card.json is damaged: it has no 'model'"):
        checkpoint.load(folder)


def test_further_texts_are_written_with_the_model(folder, tiny_model, tiny_config):
    checkpoint.save(folder, tiny_model, tiny_config, {}, {"log.jsonl": "{}"})
    assert (folder / "log.jsonl").read_text() == "{}"
