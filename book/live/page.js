// Live mazes in a page: draw, ask a model, look inside, change it. One for each
//   <div class="live" data-state="model_dfs5_n_5_m_…_o_0_t_24">…</div>
// whose content is what a reader without scripts sees. `liveModels` (index.js) says which
// models there are; weights are loaded when they are asked for, and not before.
"use strict";
{
  const SAID = {
    none: "a shortest path",
    "starts elsewhere": "it does not start at the origin",
    "runs on": "it goes on after the target",
    jump: "it jumps",
    "through a wall": "it goes through a wall",
    "turns back": "it turns back",
    "wrong turn": "a wrong turn",
    "no end": "it does not end",
    "stops early": "it stops before the target",
  };
  const DEFAULTS = {
    model: "dfs5",
    n: 5,
    m: "0".repeat(10),
    o: 0,
    t: 24,
    key: "0",
    step: 200,
    show: "answer",
    layer: 0,
    head: 0,
    sees: 3,
    strength: 10,
  };
  let made = 0; // live mazes in this page, for the ids of their parts

  // Numbers as shades, the largest the darkest.
  function darkest(values) {
    const most = Math.max(...values);
    return values.map(value => value / most);
  }

  class LiveMaze {
    constructor(root, isAddressed) {
      this.root = root;
      this.id = `live-${++made}`;
      this.isAddressed = isAddressed; // does the page's address hold its state?
      this.start = readState(root.dataset.state ?? "", DEFAULTS);
      this.state = {...this.start};
      this.recorded = (root.dataset.answer || null)?.split(".").map(Number);
      this.views = [];
      this.walk = null; // the reader's own way
      buildControls(this);
      if (isAddressed) {
        this.fromAddress();
        addEventListener("hashchange", () => this.fromAddress());
      }
      this.render();
      if (this.known) this.play(this.recorded.length);
    }

    // Was the answer recorded that the model gives to what stands there?
    get known() {
      return (
        this.recorded &&
        !this.isAsked &&
        ["model", "n", "m", "o", "t", "beside"].every(name => this.state[name] === this.start[name])
      );
    }

    get maze() {
      return Maze.parse(this.state.n, this.state.m);
    }

    // What the first model answered, once it was asked.
    get first() {
      return this.isAsked ? this.answers?.[0] : undefined;
    }

    get off() {
      return new Set(this.state.off?.split("-") ?? []);
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
      const isNew = ["n", "m", "o", "t"].some(
        name => name in changes && changes[name] !== this.state[name],
      );
      Object.assign(this.state, changes);
      if (isNew)
        Object.assign(this.state, {goal: undefined, push: undefined, at: undefined, step: 200});
      if (isNew || "model" in changes) this.walk = null;
      const asks =
        isNew ||
        ["model", "beside", "key", "off", "goal", "push", "strength"].some(name => name in changes);
      if ("model" in changes || "beside" in changes) this.fitSide();
      asks ? this.refresh() : this.render();
    }

    // A model that knows no such large mazes gets one of its own.
    fitSide() {
      const {side, grid} = liveModels.find(each => each.name === this.state.model);
      if (this.state.n > side) this.another(grid);
    }

    async another(side = Number(this.side.value)) {
      await loadScript("mazes.js");
      const sets = mazeSets[this.kind.value],
        n = side in sets ? side : 5;
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
      else if (
        maze.isOpen(walk.at(-1), cell) &&
        walk.at(-1) !== this.state.t &&
        !walk.includes(cell)
      )
        walk.push(cell);
      this.render();
    }

    pushTo(way) {
      this.change(
        way === "" ? {push: undefined, at: undefined} : {push: Number(way), at: this.state.step},
      );
    }

    // Weights are loaded now, and the answer follows every change from here on.
    ask() {
      const isFirst = !this.isAsked;
      this.isAsked = true;
      return this.refresh(isFirst);
    }

    async refresh(isFirst = false) {
      const turn = (this.turn = (this.turn ?? 0) + 1);
      this.problem = undefined;
      if (!this.isAsked) return this.render();
      const names = [this.state.model, this.state.beside].filter(Boolean);
      this.isBusy = true;
      this.render();
      try {
        const models = await Promise.all(names.map(modelOf));
        await new Promise(requestAnimationFrame);
        await new Promise(done => setTimeout(done)); // what is said now is drawn first
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
      const {state, maze} = this,
        {push, at} = state,
        strength = state.strength / 10,
        isOpen = model.isOpenTo(maze),
        question = {maze, origin: state.o, target: state.t, key: BigInt(state.key)};
      if (isOpen) question.off = this.off;
      if (isOpen && state.goal !== undefined) question.goal = {cell: state.goal, strength};
      const plain = model.ask(question),
        path = plain.cells.slice(0, at),
        against = plain.cells[at];
      const ways = isOpen && push !== undefined && path.length === at ? maze.options(path) : [];
      if (!ways.includes(push) || !ways.includes(against) || against === push)
        return {model, answer: plain, plain};
      question.push = {path, way: push, against, strength};
      return {model, answer: model.ask(question), plain};
    }

    // ── what is shown ──

    render() {
      const {state} = this,
        names = [state.model, state.beside].filter(Boolean);
      while (this.views.length > names.length) this.views.pop().figure.remove();
      while (this.views.length < names.length) this.addView();
      this.views.forEach((view, at) =>
        this.draw(view, names[at], this.isAsked ? this.answers?.[at] : undefined),
      );
      this.say();
      this.fill();
      if (this.isAddressed && this.isAsked)
        history.replaceState(null, "", `#live_${writeState(state)}`);
    }

    addView() {
      const svg = shape("svg", {
        tabindex: 0,
        role: "application",
        "aria-roledescription": "maze",
        class: "live-maze",
      });
      const said = el("figcaption", {}),
        figure = el("figure", {}, svg, said);
      this.views.push({svg, said, figure});
      this.figures.append(figure);
      listen(this, svg);
    }

    draw(view, name, found) {
      const {state, maze, walk} = this,
        {n, o, t, step} = state,
        side = n * UNIT + 4;
      const answer =
        found?.answer ?? (this.known ? {cells: this.recorded, isEnded: true} : undefined);
      const path = answer && maze.shortestPath(o, t),
        lines = [];
      const printed = Math.floor(step / (found?.model.vocabulary.cellWidth ?? 1)); // cells, of the tokens so far
      if (path) lines.push({cells: path, kind: "live-path", shift: -1.5});
      if (answer) {
        lines.push({cells: answer.cells, kind: "live-answer live-later", shift: 1.5});
        lines.push({cells: answer.cells.slice(0, printed), kind: "live-answer", shift: 1.5});
      }
      if (walk) lines.push({cells: walk, kind: "live-walk", shift: 0});
      const here = answer?.cells[printed - 1];
      const over = found ? this.over(found, lines) : {};
      view.svg.setAttribute("viewBox", `-2 -2 ${side} ${side}`);
      view.svg.setAttribute(
        "aria-label",
        `Maze of side ${n}, origin ${maze.name(o)}, target ${maze.name(t)}. ` +
          "Arrows move the cursor, with shift they open and close walls; O and T put origin and target; W walks, Enter asks.",
      );
      view.svg.replaceChildren(
        ...picture(maze, {
          origin: o,
          target: t,
          goal: state.goal,
          here: here >= 0 ? here : undefined,
          lines,
          cursor: view.svg === document.activeElement && !walk ? (this.cursor ?? o) : undefined,
          ...over,
        }),
      );
      view.said.replaceChildren(...this.verdict(name, answer));
    }

    verdict(name, answer) {
      if (!answer) return [name];
      const {o, t} = this.state,
        {maze} = this;
      if (maze.distances(t)[o] < 0) return [`${name}: no way leads to the target`];
      const left = cell => departure(maze, o, cell, answer.cells, answer.isEnded),
        {goal} = this.state;
      if (goal !== undefined && left(goal).kind === "none")
        return [`${name}: `, el("strong", {}, "✓ a shortest path to its new goal")];
      const {kind, place} = left(t);
      const at = place === null || kind === "starts elsewhere" ? "" : ` at step ${place}`;
      return [`${name}: `, el("strong", {}, `${kind === "none" ? "✓" : "✗"} ${SAID[kind]}`), at];
    }

    // What is laid over the maze; lines may be added.
    over({model, answer}, lines) {
      const {show, step, layer, head} = this.state,
        {maze} = this,
        now = answer.steps[step];
      if (!now) return {};
      if (show === "chances" && model.vocabulary.cellWidth === 1) {
        const shade = Array.from(
          {length: maze.n ** 2},
          (_, cell) => now.chances[model.vocabulary.cell(maze.n, cell)[0]],
        );
        return {
          shade,
          labels: shade.flatMap((p, cell) =>
            p >= 0.01 ? [[cell, `${Math.round(100 * p)}%`]] : [],
          ),
        };
      }
      if (show === "head" && model.vocabulary.cellWidth === 1)
        return this.attended(model, answer, now.attention[layer]?.[head]);
      if (show === "future" && model.isOpenTo(maze))
        return {shade: darkest(model.future(answer, step, layer))};
      if (show === "rival") lines.push({cells: this.rival(), kind: "live-rival", shift: 3});
      return {};
    }

    // A head's attention: to tokens that name a cell its shade, to an entry its passage.
    attended(model, answer, weights) {
      if (!weights) return {};
      const {maze} = this,
        {vocabulary} = model,
        all = [...answer.prompt, ...answer.ids],
        shade = Array(maze.n ** 2).fill(0);
      const entries = (answer.prompt.length - 9) / 4,
        passages = [];
      const cellOf = id => vocabulary.cells([id], maze.n)[0];
      for (let entry = 0; entry < entries; entry++) {
        const at = 1 + 4 * entry,
          share = weights.subarray(at, at + 4).reduce((a, b) => a + b);
        passages.push({pair: [cellOf(all[at]), cellOf(all[at + 2])], share});
      }
      for (let at = 1 + 4 * entries; at < weights.length; at++) {
        const cell = cellOf(all[at]);
        if (cell >= 0) shade[cell] += weights[at];
      }
      return {shade, passages};
    }

    say() {
      const {state, maze, walk, first} = this;
      const said = () => {
        if (this.problem) return this.problem;
        if (walk) {
          if (walk.at(-1) !== state.t)
            return `You are at ${maze.name(walk.at(-1))}, after ${walk.length - 1} steps.`;
          return `You are there, in ${walk.length - 1} steps. The shortest way has ${maze.shortestPath(state.o, state.t).length - 1}.`;
        }
        if (this.isBusy) return `${state.model} is thinking …`;
        if (!first)
          return "Tap a wall to open it, or a gap to close it. Drag the circle or the cross. Then ask.";
        const words = first.answer.ids.map(id => first.model.vocabulary.words[id]);
        const printed = words.slice(0, state.step).join(" ") || "none yet";
        return `The prompt has ${first.answer.prompt.length} tokens. Printed so far, as (row, column): ${printed}`;
      };
      const text = said();
      if (this.note.textContent !== text) this.note.textContent = text;
      this.askButton.hidden = Boolean(this.isAsked);
    }

    fill() {
      const {state, maze, first} = this,
        answer = first?.answer;
      for (const control of this.root.querySelectorAll("[data-is]"))
        if (control.dataset.is === "link") control.href = `#live_${writeState(state)}`;
        else if (control !== this.goal) control.value = String(state[control.dataset.is] ?? "");
      this.root.querySelectorAll(".live-show input").forEach(radio => {
        radio.checked = radio.value === state.show;
      });
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
      this.count.textContent = answer
        ? `Token ${state.step + 1} of ${answer.ids.length} is likely:`
        : "";
      this.legend.replaceChildren(...this.explained(first));
      this.list(first);
      if (first) this.offer(first);
    }

    // What stands for what in the picture as it is now.
    explained(first) {
      const {show, goal, t} = this.state,
        isDrawn = Boolean(first || this.known),
        rival = first && show === "rival" && this.rival();
      const ends = rival && rival.at(-1) === t ? "arrives" : "ends in a dead end";
      const found = [
        [true, "origin", "start"],
        [true, "target", "target"],
        [isDrawn, "path", "a shortest path"],
        [isDrawn, "answer", "the answer, dashed where it is not printed yet"],
        [first, "here", "the last cell printed"],
        [this.walk, "walk", "your way"],
        [goal !== undefined, "goal", "the goal put into the model"],
        [first && show === "chances", "shade", "how likely a cell comes next"],
        [
          first && show === "head",
          "shade",
          "attention: to cells named, and to entries as passages",
        ],
        [
          first && show === "future",
          "shade",
          "the darker, the likelier the path comes there, by the probes",
        ],
        [rival, "rival", `the solver, which ${ends}`],
      ];
      return found
        .filter(([isShown]) => isShown)
        .map(([, kind, said]) => el("span", {class: `live-key live-key-${kind}`}, said));
    }

    // The way of a solver that sees some steps; of ways that are as good it takes the first.
    rival() {
      const {sees, o, t} = this.state,
        {maze} = this,
        cells = [o];
      const choose = () => (sees ? sighted(maze, cells, t, sees) : greedy(maze, cells, t));
      for (let ways; cells.at(-1) !== t && (ways = choose()).length;) cells.push(ways[0]);
      return cells;
    }

    most(is, model) {
      if (is === "sees") return 12;
      if (is === "head") return (model?.net.heads ?? 4) - 1;
      return (model?.net.layers ?? 8) - (this.state.show === "future" ? 0 : 1);
    }

    // The likeliest next tokens, and the tokens that a head attends to.
    list(first) {
      const {state} = this,
        now = first?.answer.steps[state.step],
        words = first?.model.vocabulary.words;
      const likely = now
        ? now.chances
            .map((p, id) => [p, id])
            .sort((a, b) => b[0] - a[0])
            .slice(0, 4)
        : [];
      this.chances.replaceChildren(
        ...likely.map(([p, id]) =>
          el(
            "li",
            {},
            el("span", {class: "live-bar", style: `--share:${p.toFixed(4)}`}),
            el("code", {}, words[id]),
            p < 0.001 ? " < 0.1%" : ` ${(100 * p).toFixed(p < 0.1 ? 1 : 0)}%`,
          ),
        ),
      );
      const weights = state.show === "head" && now?.attention[state.layer]?.[state.head];
      this.tokens.replaceChildren(
        ...(weights
          ? [...first.answer.prompt, ...first.answer.ids]
              .slice(0, weights.length)
              .flatMap((id, at) => [
                el(
                  "span",
                  {
                    style: `--share:${weights[at].toFixed(3)}`,
                    title: `${(100 * weights[at]).toFixed(1)}%`,
                  },
                  words[id],
                ),
                " ",
              ])
          : []),
      );
    }

    // What can be changed here: heads, the target, the way at this step.
    offer({model, plain}) {
      const {state, maze} = this;
      if (!model.isOpenTo(maze)) return;
      const {layers, heads} = model.net,
        {off} = this;
      if (this.heads.childElementCount !== layers * heads) {
        this.heads.style.setProperty("--heads", heads);
        this.heads.replaceChildren(
          ...Array.from({length: layers * heads}, (_, at) => {
            const head = `L${Math.floor(at / heads)}H${at % heads}`;
            return el(
              "button",
              {type: "button", "data-head": head, onclick: () => this.switchHead(head)},
              head,
            );
          }),
        );
      }
      for (const each of this.heads.children)
        each.setAttribute("aria-pressed", String(off.has(each.dataset.head)));
      const others = Array.from({length: maze.n ** 2}, (_, cell) => cell).filter(
        cell => cell !== state.t && cell !== state.o,
      );
      this.goal.replaceChildren(
        el("option", {value: ""}, "none"),
        ...options(others, cell => maze.name(cell)),
      );
      this.goal.value = String(state.goal ?? "");
      const at = state.push === undefined ? state.step : state.at,
        {cells} = plain,
        against = cells[at];
      const ways = at > 0 && cells.length > at ? maze.options(cells.slice(0, at)) : [];
      this.push.replaceChildren(
        el("option", {value: ""}, ways.length > 1 ? "nothing" : "no fork here"),
        ...(ways.includes(against)
          ? options(
              ways.filter(way => way !== against),
              way => maze.name(way),
            )
          : []),
      );
      this.push.value = String(state.push ?? "");
    }

    switchHead(head) {
      const {off} = this;
      off.has(head) ? off.delete(head) : off.add(head);
      this.change({off: [...off].join("-") || undefined});
    }
  }

  globalThis.LiveMaze = LiveMaze;
}
