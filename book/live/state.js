// What a live maze shows, as an address can hold it: #live_model_dfs5_n_5_m_3f0a…
//
//   const state = readState("model_dfs5_n_5", defaults)  // an Error says what is wrong
//   writeState(state)                                     // "model_dfs5_n_5_m_…"
//
// An address is made of letters that a selector may have, since the theme takes it for
// one. Nothing of it is trusted: each value has a form, and a maze has to be whole.
"use strict";
{
  const SHOWN = ["answer", "chances", "head", "future", "rival"];
  const whole = (least, most) => text => {
    const value = Number(text);
    if (!/^\d{1,3}$/.test(text) || value < least || value > most)
      throw new Error(`${text.slice(0, 20)} is no whole number from ${least} to ${most}`);
    return value;
  };
  const oneOf = names => text => {
    if (!names.includes(text))
      throw new Error(`${text.slice(0, 20)} is none of ${names.join(", ")}`);
    return text;
  };
  const matching = (form, said) => text => {
    if (!form.test(text)) throw new Error(`${text.slice(0, 20)} is no ${said}`);
    return text;
  };
  const model = text => oneOf(liveModels.map(each => each.name))(text);

  const FORMS = {
    model, // which is asked
    beside: model, // another, or none
    n: whole(2, 10), // cells a side
    m: matching(/^[0-9a-f]{1,45}$/, "maze"), // its passages
    o: whole(0, 99), // origin
    t: whole(0, 99), // target
    key: matching(/^\d{1,20}$/, "key of a list"), // draws the order of the list
    step: whole(0, 200), // how many tokens of the answer are read
    show: oneOf(SHOWN), // what is drawn over the maze
    layer: whole(0, 15),
    head: whole(0, 15),
    sees: whole(0, 12), // steps that the solver beside sees
    off: matching(/^L\d{1,2}H\d{1,2}(-L\d{1,2}H\d{1,2}){0,99}$/, "list of heads"),
    goal: whole(0, 99), // the target that is put into the stream
    push: whole(0, 99), // the first cell of the way that a fork is pushed to
    at: whole(1, 99), // how many cells the path has there
    strength: whole(0, 20), // of what is put in, in tenths
  };

  // The state that a text describes, on top of another.
  function readState(text, defaults) {
    const words = text.split("_"),
      state = {...defaults};
    for (let at = 0; at + 1 < words.length; at += 2)
      if (Object.hasOwn(FORMS, words[at])) state[words[at]] = FORMS[words[at]](words[at + 1]);
    Maze.parse(state.n, state.m);
    for (const name of ["o", "t", "goal", "push"])
      if (state[name] >= state.n ** 2)
        throw new Error(`cell ${state[name]} is outside a maze of side ${state.n}`);
    if (state.o === state.t) throw new Error("origin and target are one cell");
    return state;
  }

  function writeState(state) {
    const named = Object.keys(FORMS).filter(name => state[name] !== undefined);
    return named.map(name => `${name}_${state[name]}`).join("_");
  }

  Object.assign(globalThis, {readState, writeState});
}
