// A maze as a picture that can be changed: in the colours of mazelib's drawings.
"use strict";
{
  const UNIT = 24; // user units along the side of a cell
  const NEAR = 0.24; // how near to a wall, in cells, a tap means the wall

  function shape(tag, attributes = {}, ...children) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  const centre = (n, cell) => [((cell % n) + 0.5) * UNIT, (Math.floor(cell / n) + 0.5) * UNIT];

  const line = (n, cells, kind, shift = 0) =>
    shape("polyline", {
      class: kind,
      points: cells
        .filter(cell => cell >= 0)
        .map(cell =>
          centre(n, cell)
            .map(at => at + shift)
            .join(","),
        )
        .join(" "),
    });

  function walls(maze) {
    const {n} = maze,
      u = UNIT,
      lines = [`M0 0H${n * u}V${n * u}H0Z`];
    for (const [a, b] of maze.pairs())
      if (!maze.isOpen(a, b)) {
        const x = (b % n) * u,
          y = Math.floor(b / n) * u;
        lines.push(b - a === 1 ? `M${x} ${y}v${u}` : `M${x} ${y}h${u}`);
      }
    return shape("path", {class: "live-walls", d: lines.join("")});
  }

  // Everything in a picture: {shade, passages, labels} by cell, lines {cells, kind, shift}.
  function picture(maze, {origin, target, goal, here, cursor, shade, passages, labels, lines}) {
    const {n} = maze,
      parts = [];
    (shade ?? []).forEach((share, cell) => {
      if (share < 0.005) return;
      const [x, y] = centre(n, cell).map(at => at - UNIT / 2);
      parts.push(
        shape("rect", {
          class: "live-shade",
          x,
          y,
          width: UNIT,
          height: UNIT,
          "fill-opacity": share.toFixed(3),
        }),
      );
    });
    (passages ?? []).forEach(({pair, share}) => {
      if (share < 0.01) return;
      const made = line(n, pair, "live-passage");
      made.setAttribute("stroke-width", (2 + 12 * share).toFixed(1));
      parts.push(made);
    });
    parts.push(walls(maze), ...lines.map(({cells, kind, shift}) => line(n, cells, kind, shift)));
    const at = (cell, make) =>
      cell !== undefined && cell !== null && parts.push(make(...centre(n, cell)));
    at(here, (cx, cy) => shape("circle", {class: "live-here", cx, cy, r: 9.5}));
    at(origin, (cx, cy) => shape("circle", {class: "live-origin", cx, cy, r: 7}));
    const cross = kind => (x, y) =>
      shape("path", {class: kind, d: `M${x - 6} ${y - 6}l12 12m0 -12l-12 12`});
    at(target, cross("live-target"));
    at(goal, cross("live-goal"));
    at(cursor, (x, y) =>
      shape("rect", {class: "live-cursor", x: x - 10, y: y - 10, width: 20, height: 20}),
    );
    for (const [cell, said] of labels ?? [])
      at(cell, (x, y) => shape("text", {class: "live-label", x, y: y + 10.5}, said));
    return parts;
  }

  // What a point of the picture is on: {cell}, and {pair} where it is near a wall or gap.
  function spot(maze, svg, event) {
    const {n} = maze,
      point = new DOMPoint(event.clientX, event.clientY);
    const {x, y} = point.matrixTransform(svg.getScreenCTM().inverse());
    const col = Math.min(n - 1, Math.max(0, Math.floor(x / UNIT))),
      row = Math.min(n - 1, Math.max(0, Math.floor(y / UNIT)));
    const cell = row * n + col,
      dx = x / UNIT - col - 0.5,
      dy = y / UNIT - row - 0.5;
    const isAcross = Math.abs(dx) > Math.abs(dy),
      off = isAcross ? dx : dy;
    const other = isAcross ? col + Math.sign(dx) : row + Math.sign(dy);
    const isNear =
      Math.abs(off) > 0.5 - NEAR && Math.min(Math.abs(dx), Math.abs(dy)) < 0.5 - NEAR / 2;
    if (!isNear || other < 0 || other >= n) return {cell};
    const beyond = cell + Math.sign(off) * (isAcross ? 1 : n);
    return {cell, pair: [Math.min(cell, beyond), Math.max(cell, beyond)]};
  }

  Object.assign(globalThis, {UNIT, shape, picture, spot});
}
