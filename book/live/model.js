// A model of the book as a page asks it: an answer token by token, and what is inside.
//
//   const model = new LiveModel(mazeModels.dfs5)
//   const answer = model.ask({maze, origin: 0, target: 24, key: 0n})
//   answer.cells, answer.isEnded                  // the path that it printed
//   answer.steps[2].chances                       // of each token, after two of its own
//   model.future(answer, 2, 6)                    // probes of the path to come, by cell
//
// A question may also change the model: off, a Set of heads such as "L5H0" that move what
// they move on average; goal {cell, strength}, another target, put in place of the one
// that was asked for; push {path, way, against, strength}, at the last cell of a path,
// from the way that begins with the cell `against` to the one that begins with `way`.
"use strict";
{
  const QUESTION = 8; // tokens between the list and the path
  const KINDS = 15,
    PATH = 13; // of tokens, and which of them the path's are
  const PUSHED = 4; // cells of each way whose probes are used

  const bytesOf = text => Uint8Array.from(atob(text), c => c.charCodeAt(0)).buffer;

  class LiveModel {
    constructor({scheme, side, grid, config, weights, readings}) {
      this.net = new Transformer(bytesOf(weights), config);
      this.vocabulary = new Vocabulary(scheme, side);
      this.grid = grid;
      this.readings = readings && tensors(bytesOf(readings));
    }

    ask(question) {
      const {net, vocabulary} = this,
        end = vocabulary.id["<PATH_END>"];
      const prompt = vocabulary.prompt(
        question.maze,
        question.origin,
        question.target,
        question.key,
      );
      const change = this.changed(question, prompt.length),
        steps = [],
        ids = [];
      const most = Math.min(
        vocabulary.side ** 2 * vocabulary.cellWidth + 1,
        net.longest - prompt.length,
      );
      if (most < 1) throw new Error(`its ${net.longest} places are too few for this list`);
      net.reset();
      for (let read = prompt; ids.length < most && ids.at(-1) !== end; read = ids.slice(-1)) {
        const {logits, attention, residual} = net.step(read, change);
        steps.push({
          chances: chances(logits.at(-1)),
          attention: attention.map(layer => layer.map(head => head.at(-1))),
          residual: residual.map(layer => layer.at(-1)),
        });
        ids.push(steps.at(-1).chances.reduce((best, p, id, all) => (p > all[best] ? id : best), 0));
      }
      const cells = vocabulary.cells(ids, question.maze.n);
      const rest = ids.slice(cells.length * vocabulary.cellWidth);
      return {question, prompt, ids, steps, cells, isEnded: rest.length === 1 && rest[0] === end};
    }

    // Can it be read and changed? Its directions are those of mazes of its own side.
    isOpenTo(maze) {
      return this.readings !== null && maze.n === this.grid;
    }

    changed({maze, target, off, goal, push}, start) {
      if (!this.readings || (!off?.size && !goal && !push)) return {};
      if (!this.isOpenTo(maze))
        throw new Error(`it can be changed in mazes of side ${this.grid} only`);
      const {readings, net} = this,
        {width} = net,
        size = width / net.heads;
      const row = (name, cell) => readings[name].subarray(cell * width, (cell + 1) * width);
      const direction = push && this.direction(maze, target, push);
      return {
        stream: (layer, position, x) => {
          if (goal && layer === readings["goal.layer"][0] && [3, 2].includes(start - position)) {
            const name = start - position === 3 ? "goal.target" : "goal.target_end";
            x.forEach((_, i) => {
              x[i] += goal.strength * (row(name, goal.cell)[i] - row(name, target)[i]);
            });
          }
          if (
            push &&
            layer === readings["push.layer"][0] &&
            position === start + push.path.length - 1
          )
            x.forEach((_, i) => {
              x[i] += push.strength * direction[i];
            });
        },
        head: (layer, head, position, z) => {
          if (!off?.has(`L${layer}H${head}`)) return;
          const at = ((layer * net.heads + head) * KINDS + kindOf(position, start)) * size;
          z.set(readings["mean.head"].subarray(at, at + size));
        },
      };
    }

    // From one way on to another, along the probes of their first cells, as far as the
    // stream itself varies at forks.
    direction(maze, target, {path, way, against}) {
      const {readings, net} = this,
        sum = new Float32Array(net.width);
      const move = (first, sign) =>
        wayCells(maze, path, target, first, PUSHED).forEach(cell =>
          sum.forEach((_, i) => {
            sum[i] += sign * readings["push.weight"][cell * net.width + i];
          }),
        );
      move(way, 1);
      move(against, -1);
      const length = Math.hypot(...sum);
      return sum.map(each => (each * readings["push.length"][0]) / length);
    }

    // What probes say after so many layers: the chance, for each cell, that the path comes
    // to it in two steps or more.
    future(answer, step, layer) {
      const {readings, net} = this,
        cells = this.grid ** 2,
        x = answer.steps[step].residual[layer];
      const isFork =
        step > 0 && answer.question.maze.options(answer.cells.slice(0, step)).length > 1;
      const name = `future.${step === 0 ? "start" : isFork ? "fork" : "corridor"}`;
      return Array.from({length: cells}, (_, cell) => {
        const at = layer * cells + cell,
          weights = readings[`${name}.weight`].subarray(at * net.width);
        return (
          1 /
          (1 +
            Math.exp(
              -x.reduce((sum, each, i) => sum + each * weights[i], readings[`${name}.bias`][at]),
            ))
        );
      });
    }
  }

  // Which kind of token stands at a position, before which the path begins at `start`.
  function kindOf(position, start) {
    const after = position - (start - QUESTION);
    if (after >= QUESTION) return PATH;
    if (after >= 0) return 5 + after;
    return position === 0 ? 0 : 1 + ((position - 1) % 4);
  }

  // The first cells of a way on from a path's last cell: of the shortest way to the
  // target, if it leads there without a cell twice, else to its farthest cell.
  function wayCells(maze, path, target, way, most) {
    const far = distancesWithout(maze, path, way),
      cells = [way];
    const end = far.has(target)
      ? target
      : [...far.keys()].reduce((a, b) => (far.get(b) > far.get(a) ? b : a));
    const back = distancesWithout(maze, path, end);
    while (cells.at(-1) !== end && cells.length < most)
      cells.push(
        maze
          .neighbours(cells.at(-1))
          .filter(cell => back.has(cell))
          .reduce((a, b) => (back.get(b) < back.get(a) ? b : a)),
      );
    return cells;
  }

  function distancesWithout(maze, blocked, start) {
    const found = new Map([[start, 0]]);
    for (const cell of found.keys())
      for (const other of maze.neighbours(cell))
        if (!found.has(other) && !blocked.includes(other)) found.set(other, found.get(cell) + 1);
    return found;
  }

  function chances(logits) {
    const most = logits.reduce((a, b) => Math.max(a, b));
    const weights = Array.from(logits, logit => Math.exp(logit - most));
    const total = weights.reduce((a, b) => a + b);
    return weights.map(weight => weight / total);
  }

  Object.assign(globalThis, {LiveModel, wayCells});
}
