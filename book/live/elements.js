// Elements of a page, and scripts that it loads when they are asked for.
"use strict";
{
  const loaded = {}; // scripts and models by name, as promises

  function el(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value !== undefined) element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }

  const options = (names, said) => names.map(name => el("option", {value: name}, said(name)));
  const button = (text, act, label) =>
    el("button", {type: "button", onclick: act, "aria-label": label}, text);
  const labelled = (text, control) => el("label", {}, text + " ", control);

  // A script of this folder, once it has run.
  function script(place) {
    return (loaded[place] ??= new Promise((done, fail) => {
      const root = document.documentElement.dataset.content_root ?? "";
      document.head.append(
        el("script", {
          src: `${root}live/${place}`,
          onload: done,
          onerror: () => {
            delete loaded[place];
            fail(new Error(`${place} is not there: build the book with make book`));
          },
        }),
      );
    }));
  }

  function modelOf(name) {
    return (loaded[`model ${name}`] ??= script(`models/${name}.js`).then(
      () => new LiveModel(mazeModels[name]),
    ));
  }

  Object.assign(globalThis, {el, options, button, labelled, loadScript: script, modelOf});
}
