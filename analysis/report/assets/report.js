"use strict";
(() => {
  const root = document.documentElement, button = document.getElementById("theme");
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme:dark)").matches;

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
    const toggle = async () => {
      const place = () => d.querySelector(".series");
      if (!d.open) {
        if (place()) Viewer.close(place());
        return;
      }
      const kept = d.querySelector(":scope > template[data-packed]"), data = d.querySelector(":scope > template[data-series]");
      if (kept) await unpack(kept);
      if (place() && data) await Viewer.open(place(), data.dataset.series);
    };
    d.addEventListener("toggle", toggle);
    toggle();
  }
  button.hidden = false;
  button.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; Viewer.redraw(); });
  matchMedia("(prefers-color-scheme:dark)").addEventListener("change", Viewer.redraw);
  addEventListener("resize", Viewer.resize);
})();
