"use strict";
(() => {
  const root = document.documentElement, button = document.getElementById("theme");
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme:dark)").matches;
  const colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];
  const plots = new Map();

  // Lines of one unit share a panel; uPlot wants one axis of time, so their times are joined.
  function panel(place, unit, lines) {
    const css = getComputedStyle(root), ink = css.getPropertyValue("--fg"), grid = css.getPropertyValue("--line");
    const data = uPlot.join(lines.map(s => [s.t, s.v]));
    const axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 } };
    return new uPlot({
      width: Math.max(240, place.clientWidth), height: 240, title: unit === "1" ? "cores" : unit,
      scales: { x: { time: false } }, axes: [{ ...axis, label: "s since the action began" }, { ...axis, size: 70 }],
      series: [{ label: "s" }, ...lines.map((s, i) => ({ label: s.label, stroke: colours[i % colours.length], spanGaps: true }))],
    }, data, place);
  }

  function draw(place) {
    const lines = JSON.parse(place.querySelector("script").textContent);
    (plots.get(place) || []).forEach(u => u.destroy());
    plots.set(place, [...new Set(lines.map(s => s.unit))].map(unit => panel(place, unit, lines.filter(s => s.unit === unit))));
  }

  // Of many trials, each section is compressed, and made when it is opened.
  async function unpack(kept) {
    const section = document.createElement("div");
    kept.replaceWith(section);
    if (!("DecompressionStream" in window)) {
      section.textContent = "This browser cannot unpack the section (it has no DecompressionStream): virtscope show prints the same.";
      return;
    }
    const bytes = Uint8Array.from(atob(kept.dataset.packed.replaceAll("-", "+").replaceAll("_", "/")), c => c.charCodeAt(0));
    section.innerHTML = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  }

  for (const d of document.querySelectorAll("details.trial")) {
    const open = async () => {
      if (!d.open) return;
      const kept = d.querySelector(":scope > template");
      if (kept) await unpack(kept);
      const place = d.querySelector(".series");
      if (place && !plots.has(place)) draw(place);
    };
    d.addEventListener("toggle", open);
    open();
  }
  const again = () => plots.forEach((_, place) => draw(place));
  button.hidden = false;
  button.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; again(); });
  matchMedia("(prefers-color-scheme:dark)").addEventListener("change", again);
  addEventListener("resize", () => plots.forEach((list, place) => list.forEach(u => u.setSize({ width: Math.max(240, place.clientWidth), height: 240 }))));
})();
