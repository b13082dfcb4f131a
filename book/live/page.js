// Live mazes in a page: draw, ask a model, look inside, change it. One for each
//   <div class="live" data-state="model_dfs5_n_5_m_…_o_0_t_24">…</div>
// whose content is what a reader without scripts sees. `liveModels` (index.js) says which
// models there are; weights are loaded when they are asked for, and not before.
"use strict";
{

const KINDS_OF_MAZE = {
  dfs: "depth-first", prim: "Prim's", kruskal: "Kruskal's", wilson: "Wilson's", aldous_broder: "Aldous–Broder",
  hunt_and_kill: "hunt and kill", recursive_division: "recursive division", binary_tree: "binary tree",
  sidewinder: "sidewinder", percolation: "percolation", dfs_percolation: "depth-first with cycles",
  mixed: "trees and cycles", forkless: "forkless", open_field: "open field", open_field_obstacle: "one obstacle",
};
const SAID = {
  "none": "a shortest path", "starts elsewhere": "it does not start at the origin", "runs on": "it goes on after the target",
  "jump": "it jumps", "through a wall": "it goes through a wall", "turns back": "it turns back",
  "wrong turn": "a wrong turn", "no end": "it does not end", "stops early": "it stops before the target",
};
const ARROWS = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]};
const DEFAULTS = {
  model: "dfs5", n: 5, m: "0".repeat(10), o: 0, t: 24, key: "0", step: 200, show: "answer", layer: 0, head: 0, sees: 3,
  strength: 10,
};
const loaded = {};  // models by name, as promises
let made = 0;  // live mazes in this page, for the ids of their parts

function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true || value === false) element.toggleAttribute(name, value);
    else if (value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

const options = (names, said = name => name) => names.map(name => el("option", {value: name}, said(name)));
const labelled = (text, control) => el("label", {}, text + " ", control);

// A script of this folder, once it has run.
function script(place) {
  return loaded[place] ??= new Promise((done, fail) => {
    const root = document.documentElement.dataset.content_root ?? "";
    document.head.append(el("script", {
      src: `${root}live/${place}`, onload: done,
      onerror: () => { delete loaded[place]; fail(new Error(`${place} is not there: build the book with make book`)); },
    }));
  });
}

function modelOf(name) {
  return loaded[`model ${name}`] ??= script(`models/${name}.js`).then(() => new LiveModel(mazeModels[name]));
}

class LiveMaze {
  constructor(root, isAddressed) {
    this.root = root;
    this.id = `live-${++made}`;
    this.isAddressed = isAddressed;  // does the page's address hold its state?
    this.start = readState(root.dataset.state ?? "", DEFAULTS);
    this.state = {...this.start};
    this.recorded = (root.dataset.answer || null)?.split(".").map(Number);
    this.views = [];
    this.walk = null;  // the reader's own way
    this.build();
    if (isAddressed) {
      this.fromAddress();
      addEventListener("hashchange", () => this.fromAddress());
    }
    this.render();
    if (this.known) this.play(this.recorded.length);
  }

  // Was the answer recorded that the model gives to what stands there?
  get known() {
    return this.recorded && !this.isAsked && ["model", "n", "m", "o", "t", "beside"].every(name => this.state[name] === this.start[name]);
  }

  get maze() {
    return Maze.parse(this.state.n, this.state.m);
  }

  get off() {
    return new Set(this.state.off?.split("-") ?? []);
  }

  // ── what stands there ──

  build() {
    const set = name => event => this.change({[name]: event.target.value === "" ? undefined : this.read(event.target)});
    const select = (name, ...list) => el("select", {"data-is": name, onchange: set(name)}, ...list);
    const range = (name, most) => el("input", {type: "range", min: 0, max: most, "data-is": name, oninput: set(name)});
    const models = options(liveModels.map(each => each.name), name => {
      const {what, megabytes} = liveModels.find(each => each.name === name);
      return `${name}: ${what} (${megabytes} MB)`;
    });
    this.note = el("p", {class: "live-note", role: "status"});
    this.step = range("step", 0);
    this.chances = el("ol", {class: "live-chances", "aria-label": "likeliest next tokens"});
    this.tokens = el("p", {class: "live-tokens"});
    this.heads = el("div", {class: "live-heads", role: "group", "aria-label": "heads that are switched off"});
    this.figures = el("div", {class: "live-figures"});
    this.askButton = el("button", {type: "button", class: "live-ask", onclick: () => this.ask()}, "Ask the model");
    this.kind = el("select", {}, ...options(Object.keys(KINDS_OF_MAZE), name => KINDS_OF_MAZE[name]));
    this.side = el("select", {}, ...options(["3", "4", "5", "6", "7", "10"], n => `${n}×${n}`));
    this.side.value = String(this.state.n);
    const button = (text, act) => el("button", {type: "button", onclick: act}, text);
    const show = el("div", {class: "live-show", role: "radiogroup", "aria-label": "drawn over the maze"},
      ...Object.entries({
        answer: "its answer alone", chances: "the chances of the next cell", head: "what a head attends to",
        future: "where probes read the path to come", rival: "a solver that sees so many steps",
      }).map(([name, said]) => el("label", {}, el("input", {
        type: "radio", name: `${this.id}-show`, value: name, onchange: () => this.change({show: name}),
      }), " " + said)));
    this.numbers = el("div", {class: "live-row"}, labelled("layer", range("layer", 7)), labelled("head", range("head", 3)),
      labelled("steps seen", range("sees", 12)));
    this.goal = select("goal");
    this.push = el("select", {onchange: event => this.pushTo(event.target.value)});
    this.inside = el("details", {}, el("summary", {}, "Look inside"), show, this.numbers, this.tokens);
    this.changing = el("details", {}, el("summary", {}, "Change the model"),
      el("p", {}, "Heads switched off move what they move on average."), this.heads,
      el("div", {class: "live-row"}, labelled("put another target into it", this.goal),
        labelled("push it here towards", this.push),
        labelled("strength", el("input", {type: "range", min: 0, max: 20, "data-is": "strength", oninput: set("strength")}))));
    this.root.replaceChildren(
      this.figures,
      el("div", {class: "live-side"},
        el("div", {class: "live-row"}, this.askButton, labelled("model", select("model", ...models))),
        this.note,
        el("div", {class: "live-row live-steps"},
          button("◀", () => this.change({step: Math.max(0, this.state.step - 1)})),
          this.step, button("▶", () => this.change({step: Math.min(Number(this.step.max), this.state.step + 1)}))),
        this.chances),
      el("div", {class: "live-row live-mazes"}, this.kind, this.side, button("New maze", () => this.another()),
        button("List in another order", () => this.change({key: String(Math.floor(Math.random() * 1e9))})),
        button("Walk it yourself", () => this.walkOwn()), button("Start again", () => this.again())),
      this.inside, this.changing,
      el("details", {}, el("summary", {}, "Ask another model, too"),
        labelled("beside it", select("beside", el("option", {value: ""}, "none"), ...models.map(each => each.cloneNode(true)))),
        el("p", {}, el("a", {href: "#", "data-is": "link"}, "Link to all this"))));
    const [previous, next] = this.root.querySelectorAll(".live-steps button");
    previous.setAttribute("aria-label", "one token back");
    next.setAttribute("aria-label", "one token on");
    this.step.setAttribute("aria-label", "tokens of the answer so far");
    this.kind.setAttribute("aria-label", "kind of maze");
    this.side.setAttribute("aria-label", "side of the maze");
    if (["head", "future", "rival", "chances"].includes(this.state.show)) this.inside.open = true;
    if (this.state.off || this.state.goal !== undefined || this.state.push !== undefined) this.changing.open = true;
  }

  read(control) {
    return control.type === "range" || control === this.goal ? Number(control.value) : control.value;
  }

  // ── what is done ──

  fromAddress() {
    if (!location.hash.startsWith("#live_")) return;
    try {
      this.state = readState(location.hash.slice("#live_".length), this.start);
      this.side.value = String(this.state.n);
      this.refresh();
    } catch (error) {
      this.problem = `The address says nothing that can be shown: ${error.message}.`;
      this.render();
    }
  }

  again() {
    this.state = {...this.start};
    this.walk = null;
    this.refresh();
  }

  change(changes) {
    const isNew = ["n", "m", "o", "t"].some(name => name in changes && changes[name] !== this.state[name]);
    Object.assign(this.state, changes);
    if (isNew) Object.assign(this.state, {goal: undefined, push: undefined, at: undefined, step: 200});
    if (isNew || "model" in changes) this.walk = null;
    const asks = isNew || ["model", "beside", "key", "off", "goal", "push", "strength"].some(name => name in changes);
    if ("model" in changes || "beside" in changes) this.fitSide();
    asks ? this.refresh() : this.render();
  }

  // A model that knows no such large mazes gets one of its own.
  fitSide() {
    const {side, grid} = liveModels.find(each => each.name === this.state.model);
    if (this.state.n > side) this.another(grid);
  }

  async another(side = Number(this.side.value)) {
    await script("mazes.js");
    const sets = mazeSets[this.kind.value], n = side in sets ? side : 5;
    this.side.value = String(n);
    const [m, o, t] = sets[n][Math.floor(Math.random() * sets[n].length)];
    this.change({n, m, o, t, key: "0"});
  }

  toggle(pair) {
    const {maze} = this;
    maze.set(...pair, !maze.isOpen(...pair));
    this.change({m: String(maze)});
  }

  place(name, cell) {
    if (cell !== this.state.o && cell !== this.state.t) this.change({[name]: cell});
  }

  walkOwn() {
    this.walk = this.walk ? null : [this.state.o];
    this.render();
    if (this.walk) this.views[0].svg.focus();
  }

  // The reader's own way goes on to a cell, or back to one that it came from.
  stepTo(cell) {
    const {walk, maze} = this;
    if (walk.length > 1 && walk.at(-2) === cell) walk.pop();
    else if (maze.isOpen(walk.at(-1), cell) && walk.at(-1) !== this.state.t && !walk.includes(cell)) walk.push(cell);
    this.render();
  }

  pushTo(way) {
    this.change(way === "" ? {push: undefined, at: undefined} : {push: Number(way), at: this.state.step});
  }

  // Weights are loaded now, and the answer follows every change from here on.
  ask() {
    const isFirst = !this.isAsked;
    this.isAsked = true;
    return this.refresh(isFirst);
  }

  async refresh(isFirst = false) {
    const turn = this.turn = (this.turn ?? 0) + 1;
    this.problem = undefined;
    if (!this.isAsked) return this.render();
    const names = [this.state.model, this.state.beside].filter(Boolean);
    this.isBusy = true;
    this.render();
    try {
      const models = await Promise.all(names.map(modelOf));
      await new Promise(requestAnimationFrame);
      await new Promise(done => setTimeout(done));  // what is said now is drawn first
      if (turn !== this.turn) return;
      this.answers = models.map(each => this.answered(each));
    } catch (error) {
      this.answers = [];
      this.problem = `No answer: ${error.message}.`;
    }
    if (turn !== this.turn) return;
    this.isBusy = false;
    const last = Math.max(0, (this.answers[0]?.answer.ids.length ?? 1) - 1);
    this.state.step = Math.min(this.state.step, last);
    if (isFirst) this.play(this.state.step);
    this.render();
  }

  // The answer grows, token by token, up to where it stands.
  async play(step) {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    const {turn} = this;
    for (let at = 0; at <= step; at++) {
      if (turn !== this.turn || (at && this.state.step !== at - 1)) return;
      this.state.step = at;
      this.render();
      await new Promise(done => setTimeout(done, 1200 / (step + 1)));
    }
  }

  // What a model answers, and would answer if it were not pushed.
  answered(model) {
    const {state, maze} = this, question = {maze, origin: state.o, target: state.t, key: BigInt(state.key)};
    if (model.isOpenTo(maze)) {
      const strength = state.strength / 10;
      question.off = this.off;
      if (state.goal !== undefined) question.goal = {cell: state.goal, strength};
      const plain = model.ask(question);
      if (state.push === undefined) return {model, answer: plain, plain};
      const path = plain.cells.slice(0, state.at), against = plain.cells[state.at];
      const ways = path.length === state.at ? maze.options(path) : [];
      if (ways.includes(state.push) && ways.includes(against) && against !== state.push)
        question.push = {path, way: state.push, against, strength};
      return {model, answer: model.ask(question), plain};
    }
    const plain = model.ask(question);
    return {model, answer: plain, plain};
  }

  // ── what is shown ──

  render() {
    const {state} = this, names = [state.model, state.beside].filter(Boolean);
    while (this.views.length > names.length) this.views.pop().figure.remove();
    while (this.views.length < names.length) this.addView();
    this.views.forEach((view, at) => this.draw(view, names[at], this.isAsked ? this.answers?.[at] : undefined));
    this.say();
    this.fill();
    if (this.isAddressed && this.isAsked) history.replaceState(null, "", `#live_${writeState(state)}`);
  }

  addView() {
    const svg = shape("svg", {tabindex: 0, role: "application", "aria-roledescription": "maze", class: "live-maze"});
    const said = el("figcaption", {}), figure = el("figure", {}, svg, said);
    this.views.push({svg, said, figure});
    this.figures.append(figure);
    this.listen(svg);
  }

  draw(view, name, found) {
    const {state, maze, walk} = this, {n, o, t, step} = state, side = n * UNIT + 4;
    const answer = found?.answer ?? (this.known ? {cells: this.recorded, isEnded: true} : undefined);
    const path = answer && maze.shortestPath(o, t), lines = [];
    if (path) lines.push({cells: path, kind: "live-path", shift: -1.5});
    if (answer) {
      lines.push({cells: answer.cells, kind: "live-answer live-later", shift: 1.5});
      lines.push({cells: answer.cells.slice(0, step), kind: "live-answer", shift: 1.5});
    }
    if (walk) lines.push({cells: walk, kind: "live-walk", shift: 0});
    const here = answer && step > 0 ? answer.cells[step - 1] : undefined;
    const over = found ? this.over(found, lines) : {};
    view.svg.setAttribute("viewBox", `-2 -2 ${side} ${side}`);
    view.svg.setAttribute("aria-label", `Maze of side ${n}, origin ${maze.name(o)}, target ${maze.name(t)}. ` +
      "Arrows move the cursor, with shift they open and close walls; O and T put origin and target; W walks, Enter asks.");
    view.svg.replaceChildren(...picture(maze, {
      origin: o, target: t, goal: state.goal, here: here >= 0 ? here : undefined, lines,
      cursor: view.svg === document.activeElement && !walk ? this.cursor ?? o : undefined, ...over,
    }));
    view.said.replaceChildren(...this.verdict(name, answer));
  }

  verdict(name, answer) {
    if (!answer) return [name];
    const {o, t} = this.state, {maze} = this;
    if (maze.distances(t)[o] < 0) return [`${name}: no way leads to the target`];
    const left = cell => departure(maze, o, cell, answer.cells, answer.isEnded), {goal} = this.state;
    if (goal !== undefined && left(goal).kind === "none") return [`${name}: `, el("strong", {}, "the path to the other target")];
    const {kind, place} = left(t);
    const at = place === null || kind === "starts elsewhere" ? "" : ` at step ${place}`;
    return [`${name}: `, el("strong", {}, `${kind === "none" ? "✓" : "✗"} ${SAID[kind]}`), at];
  }

  // What is laid over the maze; lines may be added.
  over({model, answer}, lines) {
    const {show, step, layer, head, sees, o, t} = this.state, {maze} = this, now = answer.steps[step];
    if (!now) return {};
    if (show === "chances" && model.vocabulary.cellWidth === 1) {
      const shade = Array.from({length: maze.n ** 2}, (_, cell) => now.chances[model.vocabulary.cell(maze.n, cell)[0]]);
      return {shade, labels: shade.flatMap((p, cell) => (p >= 0.01 ? [[cell, `${Math.round(100 * p)}%`]] : []))};
    }
    if (show === "head" && model.vocabulary.cellWidth === 1) return this.attended(model, answer, now.attention[layer]?.[head]);
    if (show === "future" && model.isOpenTo(maze)) return {shade: model.future(answer, step, layer)};
    if (show === "rival") {
      const cells = [o];
      for (let ways; cells.at(-1) !== t && (ways = sees ? sighted(maze, cells, t, sees) : greedy(maze, cells, t)).length;) cells.push(ways[0]);
      lines.push({cells, kind: "live-rival", shift: 3});
    }
    return {};
  }

  // A head's attention: to tokens that name a cell its shade, to an entry its passage.
  attended(model, answer, weights) {
    if (!weights) return {};
    const {maze} = this, {vocabulary} = model, all = [...answer.prompt, ...answer.ids], shade = Array(maze.n ** 2).fill(0);
    const entries = (answer.prompt.length - 9) / 4, passages = [];
    const cellOf = id => vocabulary.cells([id], maze.n)[0];
    for (let entry = 0; entry < entries; entry++) {
      const at = 1 + 4 * entry, share = weights.subarray(at, at + 4).reduce((a, b) => a + b);
      passages.push({pair: [cellOf(all[at]), cellOf(all[at + 2])], share});
    }
    for (let at = 1 + 4 * entries; at < weights.length; at++) {
      const cell = cellOf(all[at]);
      if (cell >= 0) shade[cell] += weights[at];
    }
    return {shade, passages};
  }

  say() {
    const {state, maze, walk} = this, [first] = this.isAsked && this.answers || [];
    const said = () => {
      if (this.problem) return this.problem;
      if (walk) {
        if (walk.at(-1) !== state.t) return `You are at ${maze.name(walk.at(-1))}, after ${walk.length - 1} steps.`;
        return `You are there, in ${walk.length - 1} steps. The shortest way has ${maze.shortestPath(state.o, state.t).length - 1}.`;
      }
      if (this.isBusy) return `${state.model} is thinking …`;
      if (!first) return "Tap a wall to open it, or a gap to close it. Drag the circle or the cross. Then ask.";
      const words = first.answer.ids.map(id => first.model.vocabulary.words[id]);
      return `It has read ${first.answer.prompt.length} tokens and printed ${state.step}: ${words.slice(0, state.step).join(" ") || "none yet"}`;
    };
    const text = said();
    if (this.note.textContent !== text) this.note.textContent = text;
    this.askButton.hidden = Boolean(this.isAsked);
  }

  fill() {
    const {state, maze} = this, [first] = this.isAsked && this.answers || [], answer = first?.answer;
    for (const control of this.root.querySelectorAll("[data-is]"))
      if (control.dataset.is === "link") control.href = `#live_${writeState(state)}`;
      else if (control !== this.goal) control.value = String(state[control.dataset.is] ?? "");
    this.root.querySelectorAll(".live-show input").forEach(radio => { radio.checked = radio.value === state.show; });
    this.step.max = String(Math.max(0, (answer?.ids.length ?? 1) - 1));
    this.step.value = String(state.step);
    this.step.closest(".live-steps").hidden = !answer;
    const needs = {layer: ["head", "future"], head: ["head"], sees: ["rival"]};
    for (const label of this.numbers.children) {
      const {is} = label.firstElementChild.dataset;
      label.hidden = !needs[is].includes(state.show);
      label.lastElementChild.max = String(this.most(is, first?.model));
      label.dataset.value = String(state[is]);
    }
    this.inside.hidden = !first;
    this.changing.hidden = !first?.model.isOpenTo(maze);
    this.list(first);
    if (first) this.offer(first);
  }

  most(is, model) {
    if (is === "sees") return 12;
    if (is === "head") return (model?.net.heads ?? 4) - 1;
    return (model?.net.layers ?? 8) - (this.state.show === "future" ? 0 : 1);
  }

  // The likeliest next tokens, and the tokens that a head attends to.
  list(first) {
    const {state} = this, now = first?.answer.steps[state.step], words = first?.model.vocabulary.words;
    const likely = now ? now.chances.map((p, id) => [p, id]).sort((a, b) => b[0] - a[0]).slice(0, 4) : [];
    this.chances.replaceChildren(...likely.map(([p, id]) => el("li", {},
      el("span", {class: "live-bar", style: `--share:${p.toFixed(4)}`}), el("code", {}, words[id]), p < 0.001 ? " < 0.1%" : ` ${(100 * p).toFixed(p < 0.1 ? 1 : 0)}%`)));
    const weights = state.show === "head" && now?.attention[state.layer]?.[state.head];
    this.tokens.replaceChildren(...(weights ? [...first.answer.prompt, ...first.answer.ids].slice(0, weights.length).flatMap((id, at) =>
      [el("span", {style: `--share:${weights[at].toFixed(3)}`, title: `${(100 * weights[at]).toFixed(1)}%`}, words[id]), " "]) : []));
  }

  // What can be changed here: heads, the target, the way at this step.
  offer({model, plain}) {
    const {state, maze} = this;
    if (!model.isOpenTo(maze)) return;
    const {layers, heads} = model.net, {off} = this;
    if (this.heads.childElementCount !== layers * heads) {
      this.heads.style.setProperty("--heads", heads);
      this.heads.replaceChildren(...Array.from({length: layers * heads}, (_, at) => {
        const head = `L${Math.floor(at / heads)}H${at % heads}`;
        return el("button", {type: "button", "data-head": head, onclick: () => this.switchHead(head)}, head);
      }));
    }
    for (const each of this.heads.children) each.setAttribute("aria-pressed", String(off.has(each.dataset.head)));
    const others = Array.from({length: maze.n ** 2}, (_, cell) => cell).filter(cell => cell !== state.t && cell !== state.o);
    this.goal.replaceChildren(el("option", {value: ""}, "none"), ...options(others, cell => maze.name(cell)));
    this.goal.value = String(state.goal ?? "");
    const at = state.push === undefined ? state.step : state.at, {cells} = plain, against = cells[at];
    const ways = at > 0 && cells.length > at ? maze.options(cells.slice(0, at)) : [];
    this.push.replaceChildren(el("option", {value: ""}, ways.length > 1 ? "nothing" : "no fork here"),
      ...(ways.includes(against) ? options(ways.filter(way => way !== against), way => maze.name(way)) : []));
    this.push.value = String(state.push ?? "");
  }

  switchHead(head) {
    const {off} = this;
    off.has(head) ? off.delete(head) : off.add(head);
    this.change({off: [...off].join("-") || undefined});
  }

  // ── hands ──

  listen(svg) {
    let held = null;  // "o", "t", "walk" or {pair}, while a pointer is down
    svg.addEventListener("pointerdown", event => {
      const {cell, pair} = spot(this.maze, svg, event), {o, t} = this.state;
      if (this.walk) held = "walk";
      else if (!pair && (cell === o || cell === t)) held = cell === o ? "o" : "t";
      else held = {pair};
      if (held.pair === undefined) svg.setPointerCapture(event.pointerId);
    });
    svg.addEventListener("pointermove", event => {
      if (!held || typeof held === "object") return;
      const {cell} = spot(this.maze, svg, event);
      if (held === "walk") { if (cell !== this.walk.at(-1)) this.stepTo(cell); }
      else if (cell !== this.state[held]) this.place(held, cell);
    });
    svg.addEventListener("pointerup", event => {
      const now = spot(this.maze, svg, event);
      if (held?.pair && String(now.pair) === String(held.pair)) this.toggle(held.pair);
      held = null;
    });
    svg.addEventListener("pointercancel", () => { held = null; });
    svg.addEventListener("focus", () => this.render());
    svg.addEventListener("blur", () => this.render());
    svg.addEventListener("keydown", event => this.typed(event));
    svg.addEventListener("touchmove", event => { if (held && typeof held !== "object") event.preventDefault(); }, {passive: false});
  }

  typed(event) {
    const {n, o} = this.state, key = event.key.toLowerCase(), cursor = this.cursor ?? o;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in ARROWS) {
      const from = this.walk ? this.walk.at(-1) : cursor, [down, right] = ARROWS[event.key];
      const row = Math.floor(from / n) + down, col = from % n + right, to = row * n + col;
      event.preventDefault();
      if (row < 0 || row >= n || col < 0 || col >= n) return;
      if (this.walk) return this.stepTo(to);
      if (event.shiftKey) return this.toggle([Math.min(from, to), Math.max(from, to)]);
      this.cursor = to;
      return this.render();
    }
    if (key === "enter") this.ask();
    else if (key === "w") this.walkOwn();
    else if (key === "o" || key === "t") this.place(key, cursor);
  }
}

globalThis.LiveMaze = LiveMaze;
}
