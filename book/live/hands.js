// What a mouse, a finger and keys do to a live maze.
"use strict";
{
  const ARROWS = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]};

  function listen(live, svg) {
    let held = null; // "o", "t" or "walk" while that is dragged, {pair} while a wall is pressed
    const now = event => spot(live.maze, svg, event);
    const isDragged = () => typeof held === "string";
    svg.addEventListener("pointerdown", event => {
      const {cell, pair} = now(event),
        {o, t} = live.state;
      if (live.walk) held = "walk";
      else if (!pair && (cell === o || cell === t)) held = cell === o ? "o" : "t";
      else held = {pair};
      if (isDragged()) svg.setPointerCapture(event.pointerId);
    });
    svg.addEventListener("pointermove", event => {
      if (!isDragged()) return;
      const {cell} = now(event);
      if (held !== "walk") live.place(held, cell);
      else if (cell !== live.walk.at(-1)) live.stepTo(cell);
    });
    svg.addEventListener("pointerup", event => {
      if (held?.pair && String(now(event).pair) === String(held.pair)) live.toggle(held.pair);
      held = null;
    });
    svg.addEventListener("pointercancel", () => {
      held = null;
    });
    svg.addEventListener(
      "touchmove",
      event => {
        if (isDragged()) event.preventDefault();
      },
      {passive: false},
    );
    svg.addEventListener("focus", () => live.render());
    svg.addEventListener("blur", () => live.render());
    svg.addEventListener("keydown", event => type(live, event));
  }

  function type(live, event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key.toLowerCase(),
      cursor = live.cursor ?? live.state.o;
    if (event.key in ARROWS) move(live, event, cursor);
    else if (key === "enter") live.ask();
    else if (key === "w") live.walkOwn();
    else if (key === "o" || key === "t") live.place(key, cursor);
  }

  function move(live, event, cursor) {
    const {n} = live.state,
      from = live.walk?.at(-1) ?? cursor,
      [down, right] = ARROWS[event.key];
    const row = Math.floor(from / n) + down,
      col = (from % n) + right,
      to = row * n + col;
    event.preventDefault();
    if (row < 0 || row >= n || col < 0 || col >= n) return;
    if (live.walk) live.stepTo(to);
    else if (event.shiftKey) live.toggle([Math.min(from, to), Math.max(from, to)]);
    else {
      live.cursor = to;
      live.render();
    }
  }

  Object.assign(globalThis, {listen});
}
