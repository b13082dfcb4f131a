import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer

from mazelib import files
from mazelib.errors import MazelibError
from mazelib.models import checkpoint, huggingface
from mazelib.models.card import parameters
from mazelib.models.model import build, inputs


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


def changed(path, **values) -> None:
    """Give a JSON file other values, or leave out those that are None."""
    facts = json.loads(path.read_text()) | values
    kept = {key: value for key, value in facts.items() if key not in values}
    kept |= {key: value for key, value in values.items() if value is not None}
    path.write_text(json.dumps(kept))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("config.json", {"num_attention_heads": 4}),
        ("config.json", {"num_attention_heads": None}),
        ("config.json", {"num_hidden_layers": 1}),
        ("config.json", {"eos_token_id": 7}),
        ("config.json", {"model_type": "gpt2"}),
        ("config.json", {"use_parallel_residual": True}),
        ("config.json", {"rope_parameters": {"rope_type": "default"}}),
        ("config.json", {"dtype": "float16"}),
        ("config.json", {"layer_norm_eps": 1}),
        ("config.json", {"quantization_config": {}}),
        ("generation_config.json", {"eos_token_id": None}),
        ("generation_config.json", {"temperature": 0.5}),
        ("tokenizer_config.json", {"pad_token": "<PATH_END>"}),
        ("tokenizer_config.json", {"bos_token": "<PATH_END>"}),
        ("tokenizer.json", {"pre_tokenizer": None}),
    ],
)
def test_a_file_that_contradicts_the_card_is_named(folder, name, values):
    changed(folder / name, **values)
    with pytest.raises(MazelibError, match=f"{name} says .*, but the card's model has"):
        checkpoint.load(folder)


@pytest.mark.parametrize("name", huggingface.FILES)
@pytest.mark.parametrize("text", ["{", "[]", None])
def test_a_file_that_is_damaged_or_missing_is_named(folder, name, text):
    (folder / name).unlink()
    if text is not None:
        (folder / name).write_text(text)
    with pytest.raises(MazelibError, match=rf"{name} (is damaged|cannot be read): "):
        checkpoint.load(folder)


def test_another_version_of_transformers_may_write_more_and_less(folder):
    changed(folder / "config.json", transformers_version="5.99.0", new_in_it=1)
    changed(folder / "config.json", use_cache=None, hidden_act=None)
    changed(folder / "config.json", hidden_act="gelu")
    checkpoint.load(folder)
    changed(folder / "config.json", num_hidden_layers=1)
    with pytest.raises(MazelibError, match="'num_hidden_layers': 1"):
        checkpoint.load(folder)


def weigh(folder, change) -> None:
    """Change a folder's weights, by name, and have the card say so."""
    weights = load_file(folder / checkpoint.WEIGHTS)
    change(weights)
    save_file(weights, folder / checkpoint.WEIGHTS)
    hashed = files.sha256(folder / checkpoint.WEIGHTS)
    changed(folder / checkpoint.CARD, sha256=hashed)


NORM = "gpt_neox.final_layer_norm.bias"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w.pop(NORM), "holds .* weights, but the card's model has"),
        (lambda w: w.update(more=w[NORM].clone()), "weights, but the card's model has"),
        (lambda w: w.update(other=w.pop(NORM)), "does not fit .*missing_keys"),
        (lambda w: w.update({NORM: w[NORM].view(4, 4)}), "does not fit .*other shapes"),
        (lambda w: w.update({NORM: w[NORM] + torch.nan}), "no finite number"),
        (lambda w: w.update({NORM: w[NORM].int()}), "no finite number"),
    ],
)
def test_no_weight_is_made_up_or_dropped(folder, change, message):
    weigh(folder, change)
    with pytest.raises(MazelibError, match=message):
        checkpoint.load(folder)


def test_weights_of_the_right_hash_that_are_none_are_one_line(folder):
    (folder / checkpoint.WEIGHTS).write_bytes(b"no tensors")
    hashed = files.sha256(folder / checkpoint.WEIGHTS)
    changed(folder / checkpoint.CARD, sha256=hashed)
    with pytest.raises(MazelibError, match="holds no tensors: ") as caught:
        checkpoint.load(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"model": 3}, "is 3, but must be an object"),
        ({"sha256": 3}, "sha256 is 3, but must be 64 hexadecimal digits"),
        ({"parameters": 3}, "parameters is 3, but must be "),
        ({"metrics": {}}, "metrics is {}, but must be scores: exact, exact_ci"),
        ({"metrics": {"exact": 1, "exact_ci": 1, "n": 1}}, "metrics is"),
        ({"metrics": {"exact": "1", "exact_ci": [0, 1], "n": 1}}, "metrics is"),
        ({"seed": -1}, "seed is -1, but must be a whole number"),
        ({"seconds": "1"}, "seconds is '1', but must be a number"),
        ({"rounding": {"n": 1}}, "rounding is"),
        ({"training": {}}, "it has no 'steps'"),
    ],
)
def test_a_card_of_wrong_types_is_named(folder, values, message):
    changed(folder / checkpoint.CARD, **values)
    with pytest.raises(MazelibError, match=message):
        checkpoint.read_card(folder)


def test_a_card_of_another_shape_is_named_before_anything_is_built(folder):
    card = json.loads((folder / checkpoint.CARD).read_text())
    for name, value in (("width", 10**9), ("layers", 10**12), ("max_positions", 99)):
        changed(folder / checkpoint.CARD, model=card["model"] | {name: value})
        with pytest.raises(MazelibError, match=r"parameters|max_position"):
            checkpoint.load(folder)


@pytest.mark.parametrize("positions", ["rotary", "learned"])
@pytest.mark.parametrize("scheme", ["ut", "ctt"])
def test_weights_are_counted_without_building(tiny_config, positions, scheme):
    config = replace(tiny_config, positions=positions, scheme=scheme)
    built = sum(p.numel() for p in build(config).parameters())
    assert parameters(config) == built


def test_scores_that_are_no_number_are_kept_as_null(tiny_model, tiny_config, tmp_path):
    scores = {"exact": 0.5, "exact_ci": [0.1, 0.9], "n": 4, "forks": float("nan")}
    card = checkpoint.save(tmp_path / "m", tiny_model, tiny_config, {"metrics": scores})
    assert checkpoint.read_card(tmp_path / "m") == card
    assert card["metrics"]["forks"] is None
    assert checkpoint.log_text([{"loss": float("inf")}]) == '{"loss": null}\n'


def test_the_card_names_the_gpu_that_a_model_lies_on(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"it, {device}")
    assert checkpoint.hardware(torch.device("cuda:1")) == "it, cuda:1"
    assert checkpoint.hardware(torch.device("cpu")).endswith(" threads")
