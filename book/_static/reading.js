// What helps a reader and needs a script: guesses that are kept, terms that explain
// themselves, figures that open large. Without scripts the page says all of it, too.
"use strict";
{
  const KEPT = "mazelib guesses"; // where the browser keeps them; they go nowhere else

  function el(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes))
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  function guesses() {
    try {
      return JSON.parse(localStorage.getItem(KEPT) ?? "{}");
    } catch {
      return {}; // a browser may keep nothing, or something else
    }
  }

  function keep(found) {
    try {
      localStorage.setItem(KEPT, JSON.stringify(found));
    } catch {
      /* then it is forgotten with the page */
    }
  }

  const page = () =>
    location.pathname
      .split("/")
      .at(-1)
      .replace(/\.html$/, "");

  // A box whose answer is its n-th option has the class right-n.
  function predictions() {
    for (const box of document.querySelectorAll(".admonition[class*='right-']")) {
      const right = Number(/right-(\d)/.exec(box.className)[1]),
        answer = box.nextElementSibling;
      const list = box.querySelector("ol"),
        options = [...list.children].map(item => item.textContent.trim());
      const said = el("p", {class: "guess-said", role: "status"});
      const show = chosen => {
        said.textContent =
          chosen === right
            ? `You guessed ${chosen}, and that is what was found.`
            : `You guessed ${chosen}. What was found is ${right}.`;
      };
      [...list.children].forEach((item, at) => {
        const choose = () => {
          keep({
            ...guesses(),
            [page()]: {chosen: options[at], right: options[right - 1], is: at + 1 === right},
          });
          answer.open = true;
          show(at + 1);
        };
        const radio = el("input", {type: "radio", name: "guess", onchange: choose});
        item.replaceChildren(el("label", {}, radio, " ", ...item.childNodes));
        if (guesses()[page()]?.chosen === options[at]) {
          radio.checked = true;
          show(at + 1);
        }
      });
      answer.querySelector(".sd-summary-content").prepend(said);
    }
  }

  // All guesses, where a page asks for them.
  function summedUp() {
    const place = document.getElementById("guesses");
    if (!place) return;
    const found = Object.entries(guesses());
    if (!found.length) {
      place.textContent = "You have not guessed on any page yet, or this browser keeps nothing.";
      return;
    }
    const row = ([name, {chosen, right, is}]) =>
      el(
        "tr",
        {},
        el("td", {}, el("a", {href: `${encodeURIComponent(name)}.html`}, String(name).slice(0, 2))),
        el("td", {}, chosen),
        el("td", {}, right),
        el("td", {}, is ? "✓" : "✗"),
      );
    const heads = ["chapter", "you guessed", "it is", ""].map(text =>
      el("th", {scope: "col"}, text || el("span", {class: "visually-hidden"}, "right?")),
    );
    place.replaceChildren(
      el(
        "p",
        {},
        `You guessed ${found.filter(([, guess]) => guess.is).length} of ${found.length}.`,
      ),
      el(
        "table",
        {class: "table"},
        el("thead", {}, el("tr", {}, ...heads)),
        el("tbody", {}, ...found.sort().map(row)),
      ),
      el(
        "button",
        {
          type: "button",
          onclick: () => {
            localStorage.removeItem(KEPT);
            summedUp();
          },
        },
        "Forget them",
      ),
    );
  }

  // A term's entry in the glossary, above or below the term, while it is pointed at.
  function terms() {
    const links = document.querySelectorAll("a[href*='glossary.html#term-']");
    if (!links.length) return;
    const tip = el("div", {class: "term-tip", role: "tooltip", id: "term-tip", hidden: ""});
    document.body.append(tip);
    const root = document.documentElement.dataset.content_root ?? "";
    let loading;
    const loaded = () =>
      (loading ??= new Promise(done => {
        document.head.append(el("script", {src: `${root}_static/glossary.js`, onload: done}));
      }));
    let wanted;
    const show = async link => {
      wanted = link;
      await loaded();
      const text = globalThis.glossaryTerms[link.hash.slice(1)];
      if (!text || wanted !== link) return;
      tip.textContent = text;
      tip.hidden = false;
      link.setAttribute("aria-describedby", tip.id);
      const at = link.getBoundingClientRect(),
        own = tip.getBoundingClientRect();
      const above = at.top > own.height + 10;
      tip.style.left = `${scrollX + Math.max(8, Math.min(at.left, innerWidth - own.width - 24))}px`;
      tip.style.top = `${scrollY + (above ? at.top - own.height - 6 : at.bottom + 6)}px`;
    };
    const hide = () => {
      wanted = undefined;
      tip.hidden = true;
    };
    for (const link of links) {
      for (const type of ["pointerenter", "focus"]) link.addEventListener(type, () => show(link));
      for (const type of ["pointerleave", "blur"]) link.addEventListener(type, hide);
    }
    addEventListener("keydown", event => {
      if (event.key === "Escape") hide();
    });
  }

  // A figure, as large as the window, where it would be small.
  function figures() {
    const view = el("dialog", {
      class: "figure-view",
      "aria-label": "Figure, enlarged",
      onclick: () => view.close(),
    });
    document.body.append(view);
    for (const image of document.querySelectorAll(".cell_output img")) {
      const open = () => {
        view.replaceChildren(
          el("img", {src: image.src, alt: image.alt}),
          el("button", {type: "button"}, "Close"),
        );
        view.showModal();
      };
      const box = el("span", {class: "figure-box"});
      image.replaceWith(box);
      image.addEventListener("click", open);
      box.append(
        image,
        el(
          "button",
          {type: "button", class: "figure-open", "aria-label": "Enlarge the figure", onclick: open},
          "⤢",
        ),
      );
    }
  }

  // CircuitsVis draws attention without saying whose it is.
  function canvases() {
    const name = () =>
      document
        .querySelectorAll(".cv-figure canvas:not([aria-label])")
        .forEach(canvas =>
          canvas.setAttribute(
            "aria-label",
            `Attention of ${canvas.parentElement.textContent.trim() || "the chosen head"}`,
          ),
        );
    for (const figure of document.querySelectorAll(".cv-figure"))
      new MutationObserver(name).observe(figure, {childList: true, subtree: true});
    name();
  }

  const start = () => [predictions, summedUp, terms, figures, canvases].forEach(each => each());
  document.readyState === "loading"
    ? document.addEventListener("DOMContentLoaded", start)
    : start();
}
