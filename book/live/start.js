// Where a page has live mazes, loads what they need; other pages load nothing of it.
"use strict";
{
  const folder = new URL(".", document.currentScript.src);
  const load = name =>
    new Promise((done, fail) => {
      const script = document.createElement("script");
      Object.assign(script, {src: new URL(name, folder), onload: done, onerror: fail});
      document.head.append(script);
    });
  const start = async () => {
    const places = [...document.querySelectorAll("div.live")];
    if (!places.length) return;
    document.head.append(
      Object.assign(document.createElement("link"), {
        rel: "stylesheet",
        href: new URL("live.css", folder),
      }),
    );
    for (const name of [
      "maze",
      "transformer",
      "model",
      "state",
      "drawing",
      "elements",
      "controls",
      "hands",
      "index",
      "page",
    ])
      await load(`${name}.js`);
    globalThis.liveMazes = places.map((place, at) => new LiveMaze(place, at === 0));
  };
  document.readyState === "loading"
    ? document.addEventListener("DOMContentLoaded", start)
    : start();
}
