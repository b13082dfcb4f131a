// A GPT-NeoX or GPT-2 network of the book, run from the bytes of its safetensors file.
//
//   const net = new Transformer(bytes, config)        // ArrayBuffer, config.json
//   net.step([1, 39, 9])   // {logits, attention, residual}, after the tokens before
//   net.reset()            // forget the tokens before
//
// logits[token] is Float32Array(vocabulary); attention[layer][head][token] Float32Array
// over all tokens so far; residual[layer][token] Float32Array(width): before each layer,
// and after the last. A change sees vectors before they are read and may write to them:
//   stream(layer, position, x)        the residual stream before a layer, or after all
//   head(layer, head, position, z)    what a head moves, before its output matrix
"use strict";
{
  class Transformer {
    constructor(bytes, config) {
      this.isRotary = config.model_type === "gpt_neox";
      this.names = this.isRotary ? ROTARY : LEARNED;
      const read = (ours, theirs) => config[ours] ?? config[theirs];
      this.width = read("hidden_size", "n_embd");
      this.layers = read("num_hidden_layers", "n_layer");
      this.heads = read("num_attention_heads", "n_head");
      this.longest = read("max_position_embeddings", "n_positions");
      this.epsilon = read("layer_norm_eps", "layer_norm_epsilon");
      this.theta = config.rope_parameters?.rope_theta;
      Transformer.check(config, this);
      this.weights = tensors(bytes);
      if (!this.isRotary) this.turnMatrices();
      this.reset();
    }

    static check(config, net) {
      const is = (name, wanted) => {
        if (config[name] !== undefined && config[name] !== wanted)
          throw new Error(`${name} is ${config[name]}: only ${wanted} is known here`);
      };
      if (!["gpt_neox", "gpt2"].includes(config.model_type))
        throw new Error(`a ${config.model_type} is not known here: gpt_neox or gpt2 is`);
      is("use_parallel_residual", false);
      is("tie_word_embeddings", false);
      is("hidden_act", "gelu");
      is("activation_function", "gelu");
      const turned = config.rope_parameters?.partial_rotary_factor ?? 1;
      if (turned !== 1) throw new Error(`${turned} of a head is turned: only 1 is known`);
      if (net.width % net.heads)
        throw new Error(`${net.heads} heads do not share a width of ${net.width}`);
    }

    // GPT-2 keeps its matrices as [in, out], GPT-NeoX as [out, in]: here all are the latter.
    turnMatrices() {
      for (const [name, w] of Object.entries(this.weights))
        if (/(c_attn|c_proj|c_fc)\.weight$/.test(name))
          this.weights[name] = transposed(w, this.weights[name.replace("weight", "bias")].length);
    }

    reset() {
      const {heads, layers, longest, width} = this,
        size = (longest * width) / heads;
      const empty = () => Array.from({length: heads}, () => new Float32Array(size));
      this.seen = 0;
      this.cache ??= Array.from({length: layers}, () => ({keys: empty(), values: empty()}));
    }

    step(ids, change = {}) {
      const {names, layers, seen} = this;
      if (seen + ids.length > this.longest)
        throw new Error(`${seen + ids.length} tokens are more than its ${this.longest} places`);
      const x = this.embedded(ids),
        residual = [],
        attention = [];
      for (let layer = 0; layer <= layers; layer++) {
        rows(x, this.width).forEach((row, t) => change.stream?.(layer, seen + t, row));
        residual.push(rows(x.slice(), this.width));
        if (layer === layers) break;
        const [norm, mix, out, normed, up, down] = names.parts.map(
          part => names.layer(layer) + part,
        );
        const {mixed, patterns} = this.attend(layer, this.linear(this.norm(x, norm), mix), change);
        add(x, this.linear(mixed, out));
        add(x, this.linear(gelu(this.linear(this.norm(x, normed), up)), down));
        attention.push(patterns);
      }
      const logits = product(
        this.norm(x, names.last),
        this.weights[names.output],
        null,
        this.width,
      );
      this.seen += ids.length;
      return {logits: rows(logits, logits.length / ids.length), attention, residual};
    }

    embedded(ids) {
      const {width, weights, names, seen} = this,
        x = new Float32Array(ids.length * width);
      ids.forEach((id, t) =>
        x.set(weights[names.tokens].subarray(id * width, (id + 1) * width), t * width),
      );
      if (names.places) add(x, weights[names.places].subarray(seen * width));
      return x;
    }

    linear(x, name) {
      const w = this.weights[`${name}.weight`],
        b = this.weights[`${name}.bias`];
      return product(x, w, b, w.length / b.length);
    }

    norm(x, name) {
      const {width, epsilon} = this,
        y = new Float32Array(x.length);
      const scale = this.weights[`${name}.weight`],
        shift = this.weights[`${name}.bias`];
      for (let at = 0; at < x.length; at += width) {
        let mean = 0,
          variance = 0;
        for (let i = 0; i < width; i++) mean += x[at + i] / width;
        for (let i = 0; i < width; i++) variance += (x[at + i] - mean) ** 2 / width;
        const size = 1 / Math.sqrt(variance + epsilon);
        for (let i = 0; i < width; i++) y[at + i] = (x[at + i] - mean) * size * scale[i] + shift[i];
      }
      return y;
    }

    // From queries, keys and values to what all heads move, and their attention.
    attend(layer, qkv, change) {
      const {width, heads, seen} = this,
        size = width / heads,
        tokens = qkv.length / (3 * width);
      const mixed = new Float32Array(tokens * width);
      const patterns = Array.from({length: heads}, (_, h) => {
        const keys = this.cache[layer].keys[h],
          values = this.cache[layer].values[h];
        return Array.from({length: tokens}, (_, t) => {
          const [query, key, value] = this.split(qkv.subarray(t * 3 * width), h, seen + t);
          keys.set(key, (seen + t) * size);
          values.set(value, (seen + t) * size);
          const z = mixed.subarray(t * width + h * size, t * width + (h + 1) * size);
          const pattern = mix(query, keys, values, seen + t + 1, z);
          change.head?.(layer, h, seen + t, z);
          return pattern;
        });
      });
      return {mixed, patterns};
    }

    // One head's query, key and value at one token, turned by its position.
    split(row, head, position) {
      const size = this.width / this.heads;
      const from = j => (this.isRotary ? (3 * head + j) * size : j * this.width + head * size);
      const parts = [0, 1, 2].map(j => row.subarray(from(j), from(j) + size));
      if (this.isRotary) parts.slice(0, 2).forEach(part => turn(part, this.angles(position)));
      return parts;
    }

    // By how much rotary positions turn each pair of a head's numbers (Su et al., arXiv
    // 2104.09864): the cosines, then the sines.
    angles(position) {
      const half = this.width / this.heads / 2;
      this.turns ??= [];
      return (this.turns[position] ??= Float64Array.from({length: 2 * half}, (_, i) =>
        (i < half ? Math.cos : Math.sin)(position * this.theta ** (-(i % half) / half)),
      ));
    }
  }

  const ROTARY = {
    tokens: "gpt_neox.embed_in.weight",
    layer: layer => `gpt_neox.layers.${layer}.`,
    parts: [
      "input_layernorm",
      "attention.query_key_value",
      "attention.dense",
      "post_attention_layernorm",
      "mlp.dense_h_to_4h",
      "mlp.dense_4h_to_h",
    ],
    last: "gpt_neox.final_layer_norm",
    output: "embed_out.weight",
  };
  const LEARNED = {
    tokens: "transformer.wte.weight",
    places: "transformer.wpe.weight",
    layer: layer => `transformer.h.${layer}.`,
    parts: ["ln_1", "attn.c_attn", "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj"],
    last: "transformer.ln_f",
    output: "lm_head.weight",
  };

  // All tensors of a safetensors file, by name, as Float32Array.
  function tensors(bytes) {
    const start = 8 + Number(new DataView(bytes).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 8, start - 8)));
    delete header.__metadata__;
    return Object.fromEntries(
      Object.entries(header).map(([name, {dtype, data_offsets}]) => {
        const raw = bytes.slice(start + data_offsets[0], start + data_offsets[1]);
        if (dtype === "F32") return [name, new Float32Array(raw)];
        if (dtype === "F16") return [name, fromHalves(new Uint16Array(raw))];
        throw new Error(`${name} is ${dtype}: only F32 and F16 are known here`);
      }),
    );
  }

  function fromHalves(halves) {
    return Float32Array.from(halves, bits => {
      const sign = bits & 0x8000 ? -1 : 1,
        exponent = (bits >> 10) & 31,
        mantissa = bits & 1023;
      if (exponent === 31) throw new Error("a weight is not finite");
      return sign * (exponent ? (1 + mantissa / 1024) * 2 ** (exponent - 15) : mantissa * 2 ** -24);
    });
  }

  function transposed(w, columns) {
    const count = w.length / columns,
      y = new Float32Array(w.length);
    for (let r = 0; r < count; r++)
      for (let c = 0; c < columns; c++) y[c * count + r] = w[r * columns + c];
    return y;
  }

  // x [n, k] · w [m, k]ᵀ + b. Four rows by two columns at a time: what is read is used often.
  function product(x, w, b, k) {
    const n = x.length / k,
      m = w.length / k,
      y = new Float32Array(n * m);
    let t = 0;
    for (; t + 4 <= n; t += 4) {
      let o = 0;
      for (; o + 2 <= m; o += 2) {
        let a0 = 0,
          a1 = 0,
          a2 = 0,
          a3 = 0,
          c0 = 0,
          c1 = 0,
          c2 = 0,
          c3 = 0;
        for (let i = 0, p = o * k, r = t * k; i < k; i++, p++, r++) {
          const u = w[p],
            v = w[p + k],
            e = x[r],
            f = x[r + k],
            g = x[r + 2 * k],
            h = x[r + 3 * k];
          a0 += u * e;
          a1 += u * f;
          a2 += u * g;
          a3 += u * h;
          c0 += v * e;
          c1 += v * f;
          c2 += v * g;
          c3 += v * h;
        }
        const at = t * m + o;
        y[at] = a0;
        y[at + m] = a1;
        y[at + 2 * m] = a2;
        y[at + 3 * m] = a3;
        y[at + 1] = c0;
        y[at + m + 1] = c1;
        y[at + 2 * m + 1] = c2;
        y[at + 3 * m + 1] = c3;
      }
      for (; o < m; o++)
        for (let s = t; s < t + 4; s++) y[s * m + o] = dotAt(x, s * k, w, o * k, k);
    }
    for (; t < n; t++) for (let o = 0; o < m; o++) y[t * m + o] = dotAt(x, t * k, w, o * k, k);
    if (b) for (let at = 0; at < y.length; at++) y[at] += b[at % m];
    return y;
  }

  function dotAt(x, r, w, p, k) {
    let sum = 0;
    for (let i = 0; i < k; i++) sum += x[r + i] * w[p + i];
    return sum;
  }

  function rows(x, width) {
    return Array.from({length: x.length / width}, (_, t) => x.subarray(t * width, (t + 1) * width));
  }

  function add(x, y) {
    for (let i = 0; i < x.length; i++) x[i] += y[i];
  }

  // One query over the first `count` keys: the pattern, and into z the values it mixes.
  function mix(query, keys, values, count, z) {
    const size = query.length,
      scale = 1 / Math.sqrt(size),
      pattern = new Float32Array(count);
    let most = -Infinity,
      total = 0;
    for (let s = 0; s < count; s++) {
      pattern[s] = dotAt(query, 0, keys, s * size, size) * scale;
      if (pattern[s] > most) most = pattern[s];
    }
    for (let s = 0; s < count; s++) total += pattern[s] = Math.exp(pattern[s] - most);
    for (let s = 0, at = 0; s < count; s++) {
      pattern[s] /= total;
      for (let i = 0; i < size; i++, at++) z[i] += pattern[s] * values[at];
    }
    return pattern;
  }

  function turn(v, angles) {
    const half = v.length / 2;
    for (let i = 0; i < half; i++) {
      const a = v[i],
        b = v[i + half],
        c = angles[i],
        s = angles[i + half];
      v[i] = a * c - b * s;
      v[i + half] = b * c + a * s;
    }
  }

  function gelu(x) {
    for (let i = 0; i < x.length; i++) x[i] *= 0.5 * (1 + erf(x[i] * Math.SQRT1_2));
    return x;
  }

  // Abramowitz and Stegun (1964), 7.1.26: within 1.5e-7.
  function erf(x) {
    const t = 1 / (1 + 0.3275911 * Math.abs(x));
    const sum =
      ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) *
      t;
    return Math.sign(x) * (1 - sum * Math.exp(-x * x));
  }

  Object.assign(globalThis, {Transformer, tensors});
}
