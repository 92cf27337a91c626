"use strict";
// A trial's series over time. All readings are kept; what is drawn is, of each column of pixels, the first, the least, the largest and
// the last one (M4: Jugel et al., VLDB 7, 2014), so a peak of one reading shows at any zoom.
const Viewer = (() => {
  const colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];
  const block = 16, phaseBand = 8, viewLane = 5;
  const open = new Map();

  async function unpack(base64) {
    const text = atob(base64.replaceAll("-", "+").replaceAll("_", "/")), bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  }

  // The form is documented beside Series in the report's source.
  function decode(buffer) {
    const bytes = new Uint8Array(buffer), size = new DataView(buffer).getUint32(0, true);
    const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size)));
    let at = 4 + size;
    for (const s of head.traces) {
      const n = s.n, t = new Float64Array(n), v = new Float32Array(n), bits = new Uint32Array(v.buffer);
      let now = s.t0;
      for (let i = 0; i < n; i++, at++) {
        now += (bytes[at] | bytes[at + n] << 8 | bytes[at + 2 * n] << 16 | bytes[at + 3 * n] << 24) >>> 0;
        t[i] = now / 1e6;
      }
      at += 3 * n;
      for (let i = 0; i < n; i++, at++) bits[i] = bytes[at] | bytes[at + n] << 8 | bytes[at + 2 * n] << 16 | bytes[at + 3 * n] << 24;
      at += 3 * n;
      Object.assign(s, { t, v, levels: pyramid(v), sum: s.rate && !s.of ? integral(t, v) : null }); // of extremes alone there is no mean
    }
    return head;
  }

  // The integral up to each point, of a trace without gaps: what a mean over any time is taken of. null: there is a gap.
  function integral(t, v) {
    const sum = new Float64Array(v.length);
    for (let i = 1; i < v.length; i++) {
      if (v[i] !== v[i]) return null;
      sum[i] = sum[i - 1] + v[i] * (t[i] - t[i - 1]);
    }
    return sum;
  }

  // Of each block of a level, where the least and the largest value are (−1: nowhere), and whether there is a gap.
  function pyramid(v) {
    const levels = [];
    for (let n = v.length, below = null; n > block; ) {
      const m = Math.ceil(n / block), level = { low: new Int32Array(m).fill(-1), high: new Int32Array(m).fill(-1), gap: new Uint8Array(m) };
      for (let b = 0; b < m; b++) {
        let low = -1, high = -1, gap = 0;
        for (let i = b * block, end = Math.min(n, i + block); i < end; i++) {
          const x = below ? below.low[i] : i, y = below ? below.high[i] : i;
          if (below) gap |= below.gap[i];
          if (x < 0) continue;
          if (v[x] !== v[x]) { gap = 1; continue; }
          if (low < 0 || v[x] < v[low]) low = x;
          if (high < 0 || v[y] > v[high]) high = y;
        }
        level.low[b] = low; level.high[b] = high; level.gap[b] = gap;
      }
      levels.push(level);
      below = level;
      n = m;
    }
    return levels;
  }

  function take(s, k, from, to, out) {
    const v = s.v, level = k ? s.levels[k - 1] : null;
    const each = i => {
      const x = level ? level.low[i] : i, y = level ? level.high[i] : i;
      if (level && level.gap[i]) out.gap = true;
      if (x < 0) return;
      if (v[x] !== v[x]) { out.gap = true; return; }
      if (out.low < 0 || v[x] < v[out.low]) out.low = x;
      if (out.high < 0 || v[y] > v[out.high]) out.high = y;
    };
    if (to - from <= 2 * block || !s.levels[k]) {
      for (let i = from; i < to; i++) each(i);
      return;
    }
    const a = Math.ceil(from / block), b = Math.floor(to / block);
    for (let i = from; i < a * block; i++) each(i);
    take(s, k + 1, a, b, out);
    for (let i = b * block; i < to; i++) each(i);
  }

  // The first place from i on whose time is at or above x.
  function first(t, x, i) {
    let end = t.length;
    while (i < end) {
      const mid = (i + end) >> 1;
      if (t[mid] < x) i = mid + 1; else end = mid;
    }
    return i;
  }

  // What is drawn of a trace between two times on so many pixels: times, values (null: a gap) and where gaps are.
  function sight(s, from, to, width, factor) {
    const { t, v } = s, xs = [], ys = [], gaps = [], n = t.length, scale = factor * s.scale;
    let i = Math.max(0, first(t, from, 0) - 1), last = -1;
    const end = Math.min(n, first(t, to, i) + 2);
    const put = (x, y) => { if (!xs.length || x > xs[xs.length - 1]) { xs.push(x); ys.push(y); } };
    const hole = next => { if (last >= 0 && ys[ys.length - 1] !== null) put((t[last] + t[next]) / 2, null); };
    s.dense = end - i > 4 * width;
    if (!s.dense) {
      for (; i < end; i++) {
        if (v[i] === v[i]) { put(t[i], v[i] * scale); last = i; continue; }
        gaps.push(t[i]);
        hole(i);
        if (s.rate && i + 1 < end && v[i + 1] === v[i + 1]) put(t[i], v[i + 1] * scale); // the next one holds from here on
      }
      return { xs, ys, gaps };
    }
    const step = (to - from) / width;
    for (let c = 1; i < end; c++) {
      const j = c > width ? end : first(t, from + c * step, i);
      if (j === i) continue;
      const e = { low: -1, high: -1, gap: false };
      take(s, 0, i, j, e);
      if (e.gap) gaps.push(t[i]);
      if (e.gap && (v[i] !== v[i] || e.low < 0)) hole(i);
      if (e.low >= 0) {
        for (const k of [i, Math.min(e.low, e.high), Math.max(e.low, e.high), j - 1]) if (v[k] === v[k]) { put(t[k], v[k] * scale); last = Math.max(last, k); }
        if (v[j - 1] !== v[j - 1]) hole(j - 1);
      }
      i = j;
    }
    return { xs, ys, gaps };
  }

  // The mean of each 4 pixels, of a rate without gaps, where several readings share one.
  function means(s, from, to, width, factor) {
    const { t, sum, n } = s, xs = [], ys = [], columns = width / 4, step = (to - from) / columns;
    let i = Math.max(1, first(t, from, 0));
    if (!sum || first(t, to, i) - i < 8 * columns) return { xs, ys };
    for (let c = 1; c <= columns && i < n; c++) {
      const j = first(t, from + c * step, i);
      if (j === i) continue;
      xs.push(t[j - 1]);
      ys.push((sum[j - 1] - sum[i - 1]) / (t[j - 1] - t[i - 1]) * factor * s.scale);
      i = j;
    }
    return { xs, ys };
  }

  // The panel whose lines swing so fast that a mean is drawn over the least and the largest.
  const withMeans = "throughput on the link";

  const units = {
    "B/s": [[1 << 30, "GiB/s"], [1 << 20, "MiB/s"], [1 << 10, "KiB/s"], [1, "B/s"]],
    "s": [[1, "s"], [1e-3, "ms"], [1e-6, "µs"]],
  };
  function unitOf(lines) {
    let most = 0;
    for (const s of lines) {
      const e = { low: -1, high: -1 };
      take(s, 0, 0, s.n, e);
      if (e.high >= 0) most = Math.max(most, Math.abs(s.v[e.high]) * s.scale);
    }
    const list = units[lines[0].unit];
    if (!list) return [1, lines[0].unit === "1" ? (lines[0].panel === "CPU" ? "cores" : "share") : lines[0].unit];
    const [size, name] = list.find(([size]) => most >= size) || list[list.length - 1];
    return [1 / size, name];
  }

  // Steps where they can be seen.
  function paths(s) {
    const lines = uPlot.paths.linear();
    if (s.of || !s.rate && !s.hold) return lines;
    const steps = uPlot.paths.stepped({ align: s.rate ? -1 : 1 });
    return (u, i, from, to) => (s.dense ? lines : steps)(u, i, from, to);
  }

  function panel(state, place, lines) {
    const css = getComputedStyle(document.documentElement), ink = css.getPropertyValue("--fg"), grid = css.getPropertyValue("--line");
    const [factor, unit] = unitOf(lines), p = { lines, factor, gaps: [] };
    const axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 } };
    p.fill = () => {
      const width = Math.max(200, place.clientWidth - 60);
      const sights = lines.map(s => sight(s, state.from, state.to, width, factor));
      p.gaps = sights.map(x => x.gaps);
      const over = lines.filter(s => s.panel === withMeans).map(s => means(s, state.from, state.to, width, factor));
      const tables = [...sights, ...over].map(x => [x.xs, x.ys]);
      return tables.length === 1 ? tables[0] : uPlot.join(tables);
    };
    const number = v => v == null ? "—" : String(+v.toPrecision(5));
    p.plot = new uPlot({
      width: Math.max(240, place.clientWidth), height: 210, title: `${lines[0].panel}, ${unit}`,
      scales: { x: { time: false, range: () => [state.from, state.to] }, y: { range: (u, low, high) => range(low, high) } },
      axes: [{ ...axis, size: 34 }, { ...axis, size: 58, filter: (u, ticks) => ticks.map(v => v < 0 && u.data.slice(1).every(d => d.every(y => !(y < 0))) ? null : v) }],
      cursor: { sync: { key: state.key }, drag: { x: true, y: false, setScale: false }, bind: { dblclick: () => () => { state.show(state.all[0], state.all[1]); return null; } } },
      legend: { markers: { width: 3 } },
      series: [{ label: "s", value: (u, v) => v == null ? "—" : v.toFixed(6) }, ...lines.map((s, i) => ({
        label: s.label, stroke: colours[i % colours.length], dash: i < colours.length ? undefined : [6, 3], width: 1.2, value: (u, v) => number(v),
        alpha: s.panel === withMeans ? 0.45 : 1, points: { size: 4 },
        paths: paths(s),
      })), ...lines.filter(s => s.panel === withMeans).map(s => ({
        label: `${s.label}, mean of 4 pixels`, stroke: ink, width: 1.2, value: (u, v) => number(v), points: { show: false }, paths: uPlot.paths.stepped({ align: -1 }),
      }))],
      hooks: {
        drawAxes: [u => marks(state, u)],
        draw: [u => missing(p, u)],
        setSelect: [u => {
          if (u.select.width < 3) return;
          const a = u.posToVal(u.select.left, "x"), b = u.posToVal(u.select.left + u.select.width, "x");
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          state.show(a, b);
        }],
      },
    }, p.fill(), place);
    // Entries of the legend are switched with the keyboard, too.
    p.plot.root.querySelectorAll(".u-legend .u-series").forEach((row, i) => {
      if (!i) return;
      row.tabIndex = 0;
      row.setAttribute("role", "button");
      row.addEventListener("keydown", e => {
        if (e.key !== "Enter" && e.key !== " ") return;
        e.preventDefault();
        e.stopPropagation();
        p.plot.setSeries(i, { show: !p.plot.series[i].show });
      });
    });
    return p;
  }

  // An axis begins at nothing, unless there is less, with room for the bands at the top and the bottom.
  function range(low, high) {
    if (low == null || high == null) [low, high] = [0, 1];
    low = Math.min(0, low);
    if (!(high > low)) high = low + 1;
    return [low - (high - low) * 0.13, high + (high - low) * 0.15];
  }

  function marks(state, u) {
    const c = u.ctx, { left, top, width, height } = u.bbox, dots = devicePixelRatio || 1;
    const x = t => Math.min(left + width, Math.max(left, u.valToPos(t, "x", true)));
    c.save();
    for (const [i, v] of state.head.views.entries()) {
      if (!state.marks.has(v.name)) continue;
      const a = x(v.from), w = Math.max(1, x(v.to) - a);
      if (v.to < state.from || v.from > state.to) continue;
      c.fillStyle = v.color;
      c.globalAlpha = 0.13;
      c.fillRect(a, top, w, height);
      c.globalAlpha = 1;
      c.fillRect(a, top + i * viewLane * dots, w, (viewLane - 1) * dots);
    }
    if (state.marks.has("phases")) for (const s of state.head.phases) {
      if (s.to < state.from || s.from > state.to) continue;
      const a = x(s.from);
      c.fillStyle = s.color;
      c.fillRect(a, top + height - phaseBand * dots, Math.max(0.5, x(s.to) - a), phaseBand * dots);
    }
    if (state.marks.has("rounds")) {
      let free = -Infinity;
      c.strokeStyle = c.fillStyle = "#8a8a8a";
      c.setLineDash([3 * dots, 3 * dots]);
      c.font = `${10 * dots}px sans-serif`;
      c.textAlign = "center";
      c.textBaseline = "bottom";
      for (const r of state.head.rounds) {
        if (r.t < state.from || r.t > state.to) continue;
        const at = x(r.t);
        c.beginPath();
        c.moveTo(at, top);
        c.lineTo(at, top + height);
        c.stroke();
        if (at < free) continue; // the ticks are all there; a number that has no room is left out
        c.fillText(r.n, at, top - dots);
        free = at + 16 * dots;
      }
    }
    c.restore();
  }

  // Short lines above the band of phases are where something is missing, however short.
  function missing(p, u) {
    const c = u.ctx, { left, top, width, height } = u.bbox, dots = devicePixelRatio || 1;
    c.save();
    p.gaps.forEach((list, i) => {
      if (!u.series[i + 1].show) return;
      c.fillStyle = colours[i % colours.length];
      let before = -1;
      for (const t of list) {
        const at = Math.round(u.valToPos(t, "x", true));
        if (at === before || at < left || at > left + width) continue;
        c.fillRect(at, top + height - (phaseBand + 8) * dots, Math.max(1, dots), 7 * dots);
        before = at;
      }
    });
    c.restore();
  }

  const buttons = [["←", "earlier"], ["→", "later"], ["+", "closer"], ["−", "wider"], ["all", "all of the trial"]];

  function controls(state, place) {
    const bar = document.createElement("div");
    bar.className = "viewer-bar";
    const button = (text, title, pressed, act) => {
      const b = document.createElement("button");
      b.type = "button";
      b.textContent = text;
      b.title = title;
      if (pressed !== null) b.setAttribute("aria-pressed", pressed); else b.setAttribute("aria-label", title);
      b.addEventListener("click", () => act(b));
      bar.append(b);
      return b;
    };
    const acts = [() => state.pan(-0.25), () => state.pan(0.25), () => state.zoom(0.5), () => state.zoom(2), () => state.show(state.all[0], state.all[1])];
    buttons.forEach(([text, title], i) => button(text, title, null, acts[i]));
    const { phases, views, rounds } = state.head;
    for (const m of [...(phases.length ? [{ name: "phases" }] : []), ...(rounds.length ? [{ name: "rounds" }] : []), ...views]) {
      const b = button(m.name, `show ${m.name}`, "true", b => {
        const on = !state.marks.has(m.name);
        if (on) state.marks.add(m.name); else state.marks.delete(m.name);
        b.setAttribute("aria-pressed", on);
        state.panels.forEach(p => p.plot.redraw(false));
      });
      if (m.color) b.style.setProperty("--mark", m.color);
      state.marks.add(m.name);
    }
    place.append(bar);
  }

  function keys(state, place) {
    place.tabIndex = 0;
    place.setAttribute("role", "group");
    place.setAttribute("aria-label", "series over time: arrows move, + and − zoom, 0 shows all, Escape closes");
    place.addEventListener("keydown", e => {
      if (e.ctrlKey || e.altKey || e.metaKey) return;
      const act = {
        ArrowLeft: () => state.pan(-0.25), ArrowRight: () => state.pan(0.25), "+": () => state.zoom(0.5), "=": () => state.zoom(0.5),
        "-": () => state.zoom(2), 0: () => state.show(state.all[0], state.all[1]), Home: () => state.show(state.all[0], state.all[1]),
        Escape: () => {
          const d = place.closest("details");
          d.open = false;
          d.querySelector("summary").focus();
        },
      }[e.key];
      if (!act) return;
      e.preventDefault();
      act();
    });
  }

  function build(place, head) {
    const list = head.traces.filter(s => s.n > 1), state = { head, key: `trial-${open.size}-${place.id}`, marks: new Set(), panels: [] };
    for (const name of ["phases", "views", "rounds"]) head[name] ||= [];
    state.all = [Math.min(...list.map(s => s.t[0])), Math.max(...list.map(s => s.t[s.n - 1]))];
    [state.from, state.to] = [Math.max(head.from, state.all[0]), Math.min(head.to, state.all[1])];
    if (!(state.to > state.from)) [state.from, state.to] = state.all;
    let asked = 0;
    state.show = (from, to) => {
      const least = 2e-5, [begin, end] = state.all;
      if (to - from < least) [from, to] = [(from + to - least) / 2, (from + to + least) / 2];
      const length = Math.min(to - from, end - begin);
      state.from = Math.min(Math.max(from, begin), end - length);
      state.to = state.from + length;
      place.dataset.shown = `${state.from} ${state.to}`;
      asked ||= requestAnimationFrame(() => {
        asked = 0;
        const start = performance.now();
        state.panels.forEach(p => p.plot.setData(p.fill(), true));
        performance.measure("viewer.step", { start }); // for bench/viewer
      });
    };
    state.pan = share => { const d = (state.to - state.from) * share; state.show(state.from + d, state.to + d); };
    state.zoom = factor => {
      const mid = (state.from + state.to) / 2, half = (state.to - state.from) / 2 * factor;
      state.show(mid - half, mid + half);
    };
    state.draw = () => {
      state.panels.forEach(p => p.plot.destroy());
      state.panels = [...new Set(list.map(s => s.panel))].map(name => panel(state, place, list.filter(s => s.panel === name)));
    };
    place.textContent = "";
    controls(state, place);
    keys(state, place);
    const thin = list.filter(s => s.of);
    if (thin.length) {
      const note = document.createElement("p");
      note.className = "warn";
      note.textContent = "Thinned, to bound this page: " + thin.map(s => `${s.label}: ${s.n} of ${s.of} readings, the least and the largest of each ${s.by}`).join("; ") + ". The records have all.";
      place.append(note);
    }
    state.draw();
    open.set(place, state);
  }

  return {
    pyramid, sight,
    async open(place, base64) {
      if (open.has(place)) return;
      if (!("DecompressionStream" in window)) {
        place.textContent = "This browser cannot unpack the series (it has no DecompressionStream): the figures and tables say the same in short.";
        return;
      }
      open.set(place, null);
      try {
        build(place, decode(await unpack(base64)));
      } catch (e) {
        open.delete(place);
        place.textContent = `The series cannot be drawn: ${e.message}.`;
        return;
      }
      place.dataset.ready = "yes";
    },
    close(place) {
      const state = open.get(place);
      if (!state) return;
      state.panels.forEach(p => p.plot.destroy());
      open.delete(place);
      const fresh = place.cloneNode(false); // without its listeners
      delete fresh.dataset.ready;
      place.replaceWith(fresh);
    },
    redraw() { open.forEach(state => state && state.draw()); },
    resize() { open.forEach((state, place) => state && state.panels.forEach(p => { p.plot.setSize({ width: Math.max(240, place.clientWidth), height: 210 }); p.plot.setData(p.fill(), true); })); },
  };
})();
