// The controls of a live maze: what a reader chooses by, and where numbers stand.
"use strict";
{
  const KINDS_OF_MAZE = {
    dfs: "depth-first",
    prim: "Prim's",
    kruskal: "Kruskal's",
    wilson: "Wilson's",
    aldous_broder: "Aldous–Broder",
    hunt_and_kill: "hunt and kill",
    recursive_division: "recursive division",
    binary_tree: "binary tree",
    sidewinder: "sidewinder",
    percolation: "percolation",
    dfs_percolation: "depth-first with cycles",
    mixed: "trees and cycles",
    forkless: "forkless",
    open_field: "open field",
    open_field_obstacle: "one obstacle",
  };
  const DRAWN = {
    answer: "only the answer",
    chances: "chances of the next cell",
    head: "what a head attends to",
    future: "the path to come, as probes read it",
    rival: "beside it, a solver that looks some steps ahead",
  };
  const NUMBERS = ["step", "layer", "head", "sees", "goal", "strength"]; // parts of a state that are numbers

  function buildControls(live) {
    live.figures = el("div", {class: "live-figures"});
    live.legend = el("p", {class: "live-legend"});
    live.root.replaceChildren(
      live.figures,
      buildAnswer(live),
      live.legend,
      buildMazes(live),
      buildInside(live),
      buildChanges(live),
      buildOther(live),
    );
    if (live.state.show !== "answer") live.inside.open = true;
    if (["off", "goal", "push"].some(name => live.state[name] !== undefined))
      live.changing.open = true;
  }

  // A control of a part of the state.
  function control(live, tag, name, attributes, ...children) {
    const when = attributes.type === "range" ? "oninput" : "onchange";
    const set = ({target}) =>
      live.change({
        [name]:
          target.value === ""
            ? undefined
            : NUMBERS.includes(name)
              ? Number(target.value)
              : target.value,
      });
    return el(tag, {"data-is": name, [when]: set, ...attributes}, ...children);
  }

  function range(live, name, most, label) {
    return control(live, "input", name, {type: "range", min: 0, max: most, "aria-label": label});
  }

  function models(live, name, ...first) {
    const said = ({name, what, megabytes}) =>
      el("option", {value: name}, `${name}: ${what} (${megabytes} MB)`);
    return control(live, "select", name, {}, ...first, ...liveModels.map(said));
  }

  function buildAnswer(live) {
    live.askButton = el(
      "button",
      {type: "button", class: "live-ask", onclick: () => live.ask()},
      "Ask the model",
    );
    live.note = el("p", {class: "live-note", role: "status"});
    live.count = el("p", {class: "live-count"});
    live.step = range(live, "step", 0, "tokens of the answer so far");
    live.chances = el("ol", {class: "live-chances", "aria-label": "likeliest next tokens"});
    const by = way => () =>
      live.change({step: Math.min(Number(live.step.max), Math.max(0, live.state.step + way))});
    return el(
      "div",
      {class: "live-side"},
      el("div", {class: "live-row"}, live.askButton, labelled("model", models(live, "model"))),
      live.note,
      live.count,
      el(
        "div",
        {class: "live-row live-steps"},
        button("◀", by(-1), "one token back"),
        live.step,
        button("▶", by(1), "one token on"),
      ),
      live.chances,
    );
  }

  function buildMazes(live) {
    live.kind = el(
      "select",
      {"aria-label": "kind of maze"},
      ...options(Object.keys(KINDS_OF_MAZE), name => KINDS_OF_MAZE[name]),
    );
    live.side = el(
      "select",
      {"aria-label": "side of the maze"},
      ...options(["3", "4", "5", "6", "7", "10"], n => `${n}×${n}`),
    );
    live.side.value = String(live.state.n);
    return el(
      "div",
      {class: "live-row live-mazes"},
      live.kind,
      live.side,
      button("New maze", () => live.another()),
      button("Shuffle the prompt's list", () =>
        live.change({key: String(Math.floor(Math.random() * 1e9))}),
      ),
      button("Walk it yourself", () => live.walkOwn()),
      button("Undo all changes", () => live.again()),
    );
  }

  function buildInside(live) {
    const shown = ([name, said]) =>
      el(
        "label",
        {},
        el("input", {
          type: "radio",
          name: `${live.id}-show`,
          value: name,
          onchange: () => live.change({show: name}),
        }),
        " " + said,
      );
    live.numbers = el(
      "div",
      {class: "live-row"},
      labelled("layer", range(live, "layer", 7)),
      labelled("head", range(live, "head", 3)),
      labelled("looks ahead, steps", range(live, "sees", 12)),
    );
    live.tokens = el("p", {class: "live-tokens"});
    return (live.inside = el(
      "details",
      {},
      el("summary", {}, "Look inside"),
      el(
        "div",
        {class: "live-show", role: "radiogroup", "aria-label": "drawn over the maze"},
        ...Object.entries(DRAWN).map(shown),
      ),
      live.numbers,
      live.tokens,
    ));
  }

  function buildChanges(live) {
    live.heads = el("div", {
      class: "live-heads",
      role: "group",
      "aria-label": "heads that are switched off",
    });
    live.goal = control(live, "select", "goal", {});
    live.push = el("select", {onchange: event => live.pushTo(event.target.value)});
    return (live.changing = el(
      "details",
      {},
      el("summary", {}, "Change the model"),
      el("p", {}, "Switch a head off, and what it moves is replaced by what it moves on average."),
      live.heads,
      el(
        "div",
        {class: "live-row"},
        labelled("replace its goal with", live.goal),
        labelled("push it at this fork towards", live.push),
        labelled("strength of both", range(live, "strength", 20)),
      ),
    ));
  }

  function buildOther(live) {
    return el(
      "details",
      {},
      el("summary", {}, "Compare with a second model"),
      labelled("second model", models(live, "beside", el("option", {value: ""}, "none"))),
      el("p", {}, el("a", {href: "#", "data-is": "link"}, "Link to all this")),
    );
  }

  Object.assign(globalThis, {buildControls});
}
