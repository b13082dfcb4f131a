// Mazes, their tokens, and solvers that see so many steps: as mazelib has them.
//
//   const maze = Maze.parse(5, "3f0a…")          // its side, and its passages as bits
//   maze.shortestPath(0, 24)                     // cells are numbered row by row
//   new Vocabulary("ut", 7).prompt(maze, 0, 24, 3n)    // token ids; 3n draws the order
//   sighted(maze, [0, 1], 24, 3)                 // where a solver that sees 3 steps goes
"use strict";
{
  const MOST_SIDE = 10;

  class Maze {
    // right[cell], down[cell]: is there a passage to the cell on its right, below it?
    constructor(n, right, down) {
      Object.assign(this, {n, right, down});
    }

    get passages() {
      return 2 * this.n * (this.n - 1);
    }

    // The bits of `text`, in hexadecimal: first passages to the right, row by row, then
    // those down. An Error for anything but the digits of a maze of this side.
    static parse(n, text) {
      if (!Number.isInteger(n) || n < 2 || n > MOST_SIDE)
        throw new Error(`a maze has 2 to ${MOST_SIDE} cells a side`);
      const maze = new Maze(n, Array(n * n).fill(false), Array(n * n).fill(false));
      const digits = maze.passages / 4; // a whole number: of n (n - 1), one is even
      if (!/^[0-9a-f]*$/.test(text) || text.length !== digits)
        throw new Error(`a maze of side ${n} has ${digits} hexadecimal digits`);
      const bits = [...text].flatMap(digit =>
        [8, 4, 2, 1].map(bit => (parseInt(digit, 16) & bit) > 0),
      );
      maze.pairs().forEach(([a, b], at) => maze.set(a, b, bits[at]));
      return maze;
    }

    toString() {
      const bits = this.pairs().map(([a, b]) => this.isOpen(a, b));
      return Array.from({length: bits.length / 4}, (_, at) =>
        [8, 4, 2, 1].reduce((sum, bit, i) => sum + bit * bits[4 * at + i], 0).toString(16),
      ).join("");
    }

    // All pairs of neighbours in the grid: beside each other, row by row, then below.
    pairs() {
      const {n} = this,
        cells = Array.from({length: n * n}, (_, cell) => cell);
      const beside = cells.filter(cell => cell % n < n - 1).map(cell => [cell, cell + 1]);
      return [...beside, ...cells.slice(0, n * (n - 1)).map(cell => [cell, cell + n])];
    }

    set(a, b, isOpen) {
      (b - a === 1 ? this.right : this.down)[a] = isOpen;
    }

    isNextTo(a, b) {
      return this.apart(a, b) === 1;
    }

    isOpen(a, b) {
      const [low, high] = [Math.min(a, b), Math.max(a, b)];
      return this.isNextTo(a, b) && (high - low === 1 ? this.right : this.down)[low];
    }

    // Steps between two cells in the grid, whatever the walls.
    apart(a, b) {
      const {n} = this;
      return Math.abs(Math.floor(a / n) - Math.floor(b / n)) + Math.abs((a % n) - (b % n));
    }

    neighbours(cell) {
      const {n} = this;
      return [cell - n, cell - 1, cell + 1, cell + n].filter(
        other => other >= 0 && other < n * n && this.isOpen(cell, other),
      );
    }

    // Steps from a cell to each; -1 where none lead.
    distances(source) {
      const found = Array(this.n ** 2).fill(-1);
      found[source] = 0;
      for (const queue = [source]; queue.length;) {
        const cell = queue.shift();
        for (const other of this.neighbours(cell))
          if (found[other] < 0) {
            found[other] = found[cell] + 1;
            queue.push(other);
          }
      }
      return found;
    }

    // The first of the shortest paths, by the numbers of its cells; null if there is none.
    shortestPath(origin, target) {
      const distance = this.distances(target),
        path = [origin];
      if (distance[origin] < 0) return null;
      while (path.at(-1) !== target)
        path.push(
          this.neighbours(path.at(-1)).find(b => distance[b] === distance[path.at(-1)] - 1),
        );
      return path;
    }

    // The ways on from a path's last cell: open, and not visited yet.
    options(path) {
      return this.neighbours(path.at(-1)).filter(cell => !path.includes(cell));
    }

    name(cell) {
      return `(${Math.floor(cell / this.n)},${cell % this.n})`;
    }
  }

  const SPECIAL = [
    "<ADJLIST_START>",
    "<ADJLIST_END>",
    "<ORIGIN_START>",
    "<ORIGIN_END>",
    "<TARGET_START>",
    "<TARGET_END>",
    "<PATH_START>",
    "<PATH_END>",
    "<-->",
    ";",
  ];

  class Vocabulary {
    constructor(scheme, side) {
      if (!["ut", "ctt", "walls"].includes(scheme)) throw new Error(`no token scheme ${scheme}`);
      const numbers = Array.from({length: side}, (_, i) => String(i)),
        pairs = scheme === "ctt";
      const cells = numbers.flatMap(row => numbers.map(col => ["(", row, ",", col, ")"]));
      this.listsWalls = scheme === "walls";
      this.side = side;
      const special = SPECIAL.map(word => (this.listsWalls && word === "<-->" ? "<XX>" : word));
      this.words = [
        "<PADDING>",
        ...special,
        ...(pairs ? ["(", ",", ")", ...numbers] : cells.map(parts => parts.join(""))),
      ];
      this.id = Object.fromEntries(this.words.map((word, id) => [word, id]));
      this.cellIds = cells.map(parts =>
        (pairs ? parts : [parts.join("")]).map(word => this.id[word]),
      );
      this.cellWidth = pairs ? 5 : 1;
    }

    // The token ids of a cell of a maze of side n, whose corner is the vocabulary's.
    cell(n, cell) {
      return this.cellIds[Math.floor(cell / n) * this.side + (cell % n)];
    }

    // The ids up to <PATH_START>. key: a BigInt that draws the order of the list.
    prompt(maze, origin, target, key) {
      const {id} = this,
        link = id[this.listsWalls ? "<XX>" : "<-->"],
        cell = c => this.cell(maze.n, c);
      if (maze.n > this.side) throw new Error(`it knows no cells beyond ${this.side}×${this.side}`);
      const list = shuffled(
        maze.pairs().filter(([a, b]) => maze.isOpen(a, b) !== this.listsWalls),
        key,
      );
      return [
        id["<ADJLIST_START>"],
        ...list.flatMap(([a, b]) => [...cell(a), link, ...cell(b), id[";"]]),
        id["<ADJLIST_END>"],
        id["<ORIGIN_START>"],
        ...cell(origin),
        id["<ORIGIN_END>"],
        id["<TARGET_START>"],
        ...cell(target),
        id["<TARGET_END>"],
        id["<PATH_START>"],
      ];
    }

    // The cells that ids begin with, numbered as in a maze of side n; -1 for one outside.
    cells(ids, n) {
      const found = [],
        width = this.cellWidth;
      for (let at = 0; at + width <= ids.length; at += width) {
        const cell = this.cellIds.findIndex(own => own.every((id, i) => id === ids[at + i]));
        if (cell < 0) break;
        const row = Math.floor(cell / this.side),
          col = cell % this.side;
        found.push(row < n && col < n ? row * n + col : -1);
      }
      return found;
    }
  }

  // Pairs in an order drawn from a key, each turned about by a coin.
  function shuffled(pairs, key) {
    const list = pairs.map(pair => [...pair]),
      random = splitMix(key);
    return list.map((_, at) => {
      const bits = random(),
        other = at + Number(((bits >> 32n) * BigInt(list.length - at)) >> 32n);
      [list[at], list[other]] = [list[other], list[at]];
      const [a, b] = list[at];
      return bits & 1n ? [b, a] : [a, b];
    });
  }

  // SplitMix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
  function splitMix(state) {
    const whole = x => BigInt.asUintN(64, x);
    return () => {
      state = whole(state + 0x9e3779b97f4a7c15n);
      let z = whole((state ^ (state >> 30n)) * 0xbf58476d1ce4e5b9n);
      z = whole((z ^ (z >> 27n)) * 0x94d049bb133111ebn);
      return z ^ (z >> 31n);
    };
  }

  // The ways on among which a solver chooses that sees so many steps ahead: those that do
  // not end where it sees, and of them the ones that come nearest to the target.
  function sighted(maze, path, target, steps) {
    const here = path.at(-1),
      looks = new Map(maze.options(path).map(way => [way, look(maze, here, way, target, steps)]));
    const ways = [...looks.keys()],
      going = ways.filter(way => looks.get(way).goesOn);
    const alive = going.length ? going : ways;
    const nearest = Math.min(...alive.map(way => looks.get(way).nearest));
    return alive.filter(way => looks.get(way).nearest === nearest);
  }

  function look(maze, cell, way, target, steps) {
    const seen = new Set([cell, way]);
    let edge = [way],
      nearest = maze.apart(way, target);
    const beyond = () =>
      [...new Set(edge.flatMap(each => maze.neighbours(each)))].filter(each => !seen.has(each));
    for (let step = 1; step < steps; step++) {
      edge = beyond();
      edge.forEach(each => seen.add(each));
      nearest = Math.min(nearest, ...edge.map(each => maze.apart(each, target)));
    }
    return {goesOn: beyond().length > 0 || seen.has(target), nearest};
  }

  // The ways on among which a solver chooses that only heads for the target.
  function greedy(maze, path, target) {
    const ways = maze.options(path),
      nearest = Math.min(...ways.map(way => maze.apart(way, target)));
    return ways.filter(way => maze.apart(way, target) === nearest);
  }

  // How an answer first leaves the shortest ways: {kind, place}, in mazelib's words.
  // cells: of the answer; isEnded: does <PATH_END> follow them?
  function departure(maze, origin, target, cells, isEnded) {
    const distance = maze.distances(target);
    const kind = place => {
      const cell = cells[place],
        before = cells.slice(0, place),
        last = before.at(-1);
      if (place === 0) return cell === origin ? null : "starts elsewhere";
      if (last === target) return "runs on";
      if (!(cell >= 0 && maze.isNextTo(last, cell))) return "jump";
      if (!maze.isOpen(last, cell)) return "through a wall";
      if (before.includes(cell)) return "turns back";
      return distance[cell] === distance[last] - 1 ? null : "wrong turn";
    };
    const place = cells.findIndex((_, at) => kind(at));
    if (place >= 0) return {kind: kind(place), place};
    if (!isEnded) return {kind: "no end", place: cells.length};
    return cells.at(-1) === target
      ? {kind: "none", place: null}
      : {kind: "stops early", place: cells.length};
  }

  Object.assign(globalThis, {Maze, Vocabulary, sighted, greedy, departure});
}
