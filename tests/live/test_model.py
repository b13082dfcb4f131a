"""What the page reads in a model, and changes in it, is what Python would."""

from contextlib import ExitStack, contextmanager

import numpy as np
import pytest
import torch
from engines import LIVE, engine
from safetensors.numpy import load_file

from experiments import directions
from mazelib.behaviour.detours import way_cells
from mazelib.behaviour.evaluation import prompts
from mazelib.behaviour.forks import ways_on
from mazelib.dataset.stream import MazeStream
from mazelib.figures.viewers import passage_bits
from mazelib.interventions import Change
from mazelib.interventions.steering import last_norm, steered
from mazelib.models import zoo
from mazelib.models.model import has_learned_positions
from mazelib.tokens.tokenizer import Sample
from tools import live

MAZES = 20
OFF = [(2, 0), (5, 1), (7, 3)]
ASK = """({name, asked}) => {
  const model = new LiveModel(mazeModels[name]), read = [];
  return asked.map(({bits, key, off, ...rest}) => {
    const maze = Maze.parse(model.grid, bits);
    const question = {...rest, maze, key: BigInt(key), off: new Set(off)};
    const {ids, cells, isEnded, steps} = model.ask(question);
    const layers = Array.from({length: model.net.layers + 1}, (_, layer) => layer);
    const future = rest.push || rest.goal || off.length ? [] : steps.map((_, step) =>
      layers.map(layer => model.future({cells, steps, question}, step, layer)));
    return {ids, cells, isEnded, chances: steps.map(step => step.chances), future};
  });
}"""


@pytest.fixture(scope="module", params=directions.ASKED)
def asked(request, tmp_path_factory):
    """A model, its directions, mazes, and a way to ask the page."""
    name = request.param
    script = tmp_path_factory.mktemp("live") / "model.js"
    script.write_text(live.model_script(name), encoding="utf-8")
    scripts = [LIVE / f"{part}.js" for part in ("maze", "transformer", "model")]
    mazes = MazeStream(zoo.held_out(name)).take(0, MAZES)
    found = load_file(directions.FOLDER / f"{name}.safetensors")
    found = {key: value.astype(np.float32) for key, value in found.items()}
    with engine() as call:

        def ask(changes):
            facts = zip(mazes, passage_bits(mazes), mazes.key, changes, strict=True)
            argument = [
                {"bits": bits, "key": str(key), "origin": sample.origin}
                | {"target": sample.target, "off": []}
                | change
                for sample, bits, key, change in facts
            ]
            return call([*scripts, script], ASK, {"name": name, "asked": argument})

        yield zoo.load(name), found, mazes, ask


@contextmanager
def without(model, means, kinds):
    """The model with the heads of `OFF` moving what they move on average."""
    heads, width = model.config.num_attention_heads, model.config.hidden_size
    size = width // heads
    with ExitStack() as stack:
        for layer, head in OFF:
            if has_learned_positions(model):
                module = model.transformer.h[layer].attn.c_proj
            else:
                module = model.gpt_neox.layers[layer].attention.dense
            mean = torch.from_numpy(means[layer, head])[kinds]

            def hook(module, arguments, head=head, mean=mean):
                z = arguments[0].clone()
                z[..., head * size : (head + 1) * size] = mean
                return (z,)

            handle = module.register_forward_pre_hook(hook)
            stack.callback(handle.remove)
        yield


def chances(model, ids, start):
    """The chances of each token of an answer, and the streams before them."""
    streams = []
    handle = last_norm(model).register_forward_pre_hook(
        lambda module, arguments: streams.append(arguments[0][0, start - 1 :])
    )
    with torch.no_grad():
        out = model(torch.tensor([ids]), output_hidden_states=True)
    handle.remove()
    layers = [state[0, start - 1 :] for state in out.hidden_states[:-1]]
    return out.logits[0, start - 1 :].softmax(-1).numpy(), [*layers, *streams]


def compare(model, own, prompt):
    """An answer of the page is the likeliest, with the same chances."""
    ids = [*prompt.tolist(), *own["ids"]]
    wanted, streams = chances(model, ids[:-1], len(prompt))
    assert wanted.argmax(-1).tolist() == own["ids"]
    np.testing.assert_allclose(np.array(own["chances"]), wanted, atol=1e-3)
    return streams


def test_answers_and_probes_are_those_of_python(asked):
    trained, found, mazes, ask = asked
    for sample, prompt, own in zip(
        mazes, prompts(mazes, trained.tokenizer), ask([{}] * MAZES), strict=True
    ):
        streams = compare(trained.model, own, prompt)
        for step, layers in enumerate(own["future"]):
            path = own["cells"][:step]
            forks = bool(path) and len(ways_on(sample.maze, path, step - 1)) > 1
            kind = "start" if step == 0 else "fork" if forks else "corridor"
            weight, bias = (found[f"future.{kind}.{k}"] for k in ("weight", "bias"))
            for layer, shown in enumerate(layers):
                score = weight[layer] @ streams[layer][step].numpy() + bias[layer]
                np.testing.assert_allclose(shown, 1 / (1 + np.exp(-score)), atol=2e-3)


def test_heads_switched_off_move_what_they_move_on_average(asked):
    trained, found, mazes, ask = asked
    off = [f"L{layer}H{head}" for layer, head in OFF]
    plain, answers = ask([{}] * MAZES), ask([{"off": off}] * MAZES)
    for prompt, own in zip(prompts(mazes, trained.tokenizer), answers, strict=True):
        entries = (len(prompt) - 9) // 4
        kinds = [0, *[1, 2, 3, 4] * entries, *range(5, 13), *[13] * len(own["ids"])]
        with without(trained.model, found["mean.head"], kinds[:-1]):
            compare(trained.model, own, prompt)
    assert plain != answers


def test_the_goal_is_moved_as_by_the_same_vectors_in_python(asked, rng):
    trained, found, mazes, ask = asked
    cells = rng.integers(0, mazes.n**2, MAZES)
    changes = [{"goal": {"cell": int(cell), "strength": 1.2}} for cell in cells]
    facts = zip(mazes, prompts(mazes, trained.tokenizer), ask(changes), strict=True)
    layer = int(found["goal.layer"][0])
    for at, (sample, prompt, own) in enumerate(facts):
        moves = []
        for back, role in ((3, "target"), (2, "target_end")):
            means = found[f"goal.{role}"]
            move = 1.2 * (means[cells[at]] - means[sample.target])
            where = np.array([len(prompt) - back])
            moves.append(Change(layer, torch.from_numpy(move)[None], where=where))
        with steered(trained.model, moves):
            compare(trained.model, own, prompt)


def test_a_fork_is_pushed_as_along_the_same_probes_in_python(asked):
    trained, found, mazes, ask = asked
    plain = ask([{}] * MAZES)
    changes, moves = [], []
    weights, layer = found["push.weight"], int(found["push.layer"][0])
    for sample, own in zip(mazes, plain, strict=True):
        change, move = {}, None
        for step in range(len(own["cells"]) - 1):
            path, against = own["cells"][: step + 1], own["cells"][step + 1]
            others = [w for w in ways_on(sample.maze, path, step) if w != against]
            if others and sample.target not in path and own["isEnded"]:
                walked = Sample(*sample[:3], np.array(path))
                signs = np.zeros(mazes.n**2)
                signs[way_cells(walked, step, others[0], 4)] += 1
                signs[way_cells(walked, step, against, 4)] -= 1
                move = signs @ weights
                move *= 0.8 * found["push.length"] / np.linalg.norm(move)
                push = {"path": path, "way": others[0], "against": against}
                change = {"push": push | {"strength": 0.8}}
        changes.append(change)
        moves.append(move)
    facts = zip(prompts(mazes, trained.tokenizer), ask(changes), strict=True)
    pushed = 0
    for at, (prompt, own) in enumerate(facts):
        if moves[at] is None:
            continue
        pushed += 1
        column = len(prompt) + len(changes[at]["push"]["path"]) - 1
        move = torch.from_numpy(moves[at]).float()[None]
        with steered(trained.model, [Change(layer, move, where=np.array([column]))]):
            compare(trained.model, own, prompt)
    assert pushed > MAZES / 2
