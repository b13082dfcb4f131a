"""The network in the page is the network in Python: every model of the zoo."""

import numpy as np
import pytest
import torch
from engines import LIVE, engine

from mazelib.behaviour.evaluation import prompts
from mazelib.behaviour.rollout import rollout
from mazelib.dataset.stream import MazeStream
from mazelib.models import zoo
from tools import live

MAZES = 20
NAMES = [*zoo.names(), *live.UNTRAINED]
RUN = """({name, prompts, most}) => {
  const {config, weights} = mazeModels[name];
  const bytes = Uint8Array.from(atob(weights), c => c.charCodeAt(0)).buffer;
  const net = new Transformer(bytes, config);
  const plain = rows => rows.map(row => Array.from(row));
  const answers = prompts.map(ids => {
    net.reset();
    const found = [], read = [], bound = Math.min(most, net.longest - ids.length);
    while (found.length < bound && found.at(-1) !== config.eos_token_id) {
      const {logits} = net.step(found.length ? found.slice(-1) : ids);
      const last = logits.at(-1);
      read.push(...plain(logits));
      found.push(last.indexOf(last.reduce((a, b) => Math.max(a, b))));
    }
    return {found, read};
  });
  net.reset();
  const ids = [...prompts[0], ...answers[0].found.slice(0, -1)];
  const {logits, attention, residual} = net.step(ids);
  return {answers, whole: {ids, logits: plain(logits), residual: residual.map(plain),
    attention: attention.map(layer => layer.map(plain))}};
}"""


def loaded(name):
    """A network of the page, in Python."""
    of = live.UNTRAINED.get(name)
    return zoo.untrained(of) if of else zoo.load(name)


@pytest.fixture(scope="module")
def call():
    with engine() as found:
        yield found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("live")
    for name in NAMES:
        (place / f"{name}.js").write_text(live.model_script(name), encoding="utf-8")
    return place


@pytest.mark.parametrize("name", NAMES)
def test_logits_answers_attention_and_stream_are_those_of_python(name, folder, call):
    trained = loaded(name)
    if name in live.UNTRAINED:
        trained.model.half().float()  # as the page has it
    mazes = MazeStream(zoo.held_out(live.UNTRAINED.get(name, name))).take(0, MAZES)
    asked = prompts(mazes, trained.tokenizer)
    most = trained.tokenizer.side**2 * trained.tokenizer.cell_width + 1
    most = 3 if name in live.UNTRAINED else most
    wanted = rollout(trained.model, trained.tokenizer, asked)
    argument = {"name": name, "prompts": [ids.tolist() for ids in asked], "most": most}
    found = call([LIVE / "transformer.js", folder / f"{name}.js"], RUN, argument)

    for ids, answer, own in zip(asked, wanted, found["answers"], strict=True):
        assert own["found"] == answer[:most].tolist()
        whole = torch.tensor([[*ids.tolist(), *own["found"][:-1]]])
        with torch.no_grad():
            logits = trained.model(whole).logits[0].numpy()
        np.testing.assert_allclose(np.array(own["read"]), logits, atol=1e-3)

    whole = found["whole"]
    trained.model.set_attn_implementation("eager")
    with torch.no_grad():
        out = trained.model(
            torch.tensor([whole["ids"]]),
            output_attentions=True,
            output_hidden_states=True,
        )
    np.testing.assert_allclose(np.array(whole["logits"]), out.logits[0], atol=1e-3)
    for layer, attention in enumerate(out.attentions):
        for head, rows in enumerate(whole["attention"][layer]):
            for token, row in enumerate(rows):
                wanted_row = attention[0, head, token, : token + 1]
                np.testing.assert_allclose(np.array(row), wanted_row, atol=1e-4)
    for own, theirs in zip(whole["residual"][:-1], out.hidden_states, strict=False):
        np.testing.assert_allclose(np.array(own), theirs[0], rtol=1e-3, atol=2e-3)
