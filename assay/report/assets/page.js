// Unpacks plotly.js, draws every panel, and runs the two buttons.
"use strict";
(async () => {
  const root = document.documentElement;
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const themeButton = document.getElementById("theme");
  const json = document.getElementById("assay-data").textContent;
  const data = JSON.parse(json);
  let charts = [];

  async function setTheme(theme) {
    root.dataset.theme = theme;
    themeButton.textContent = theme === "dark" ? "Light" : "Dark";
    themeButton.setAttribute("aria-label", `Switch to ${theme === "dark" ? "light" : "dark"} colours`);
    const update = AssayChart.themed(AssayChart.themeOf());
    await Promise.all(charts.map(chart => Plotly.relayout(chart, update)));
  }

  await setTheme(prefersDark.matches ? "dark" : "light");
  prefersDark.addEventListener("change", event => setTheme(event.matches ? "dark" : "light"));
  themeButton.addEventListener("click", () => setTheme(root.dataset.theme === "dark" ? "light" : "dark"));

  // Paper is always light.
  let screenTheme = null;
  addEventListener("beforeprint", () => { screenTheme = root.dataset.theme; setTheme("light"); });
  addEventListener("afterprint", () => { if (screenTheme) setTheme(screenTheme); });

  document.getElementById("download").addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([json], { type: "application/json" }));
    link.download = `${data.study.name || "study"}-report.json`;
    link.click();
    URL.revokeObjectURL(link.href);
  });

  async function unpackPlotly() {
    const packed = atob(document.getElementById("plotly-packed").textContent);
    const bytes = Uint8Array.from(packed, c => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.head.append(script);
  }

  try {
    if (data.figures.length) await unpackPlotly();
    const byId = new Map(data.figures.map(f => [f.id, f]));
    const objectives = data.study.objectives;
    for (const key of document.querySelectorAll("[data-legend]"))
      AssayChart.legend(key, byId.get(key.dataset.legend), objectives);
    for (const element of document.querySelectorAll(".chart")) {
      const figure = byId.get(element.dataset.figure);
      await AssayChart.draw(element, figure, figure.panels[Number(element.dataset.panel)], objectives);
      charts.push(element);
    }
    root.dataset.charts = "drawn";
  } catch (error) {
    const warning = document.getElementById("no-charts");
    warning.hidden = false;
    warning.textContent = `The charts could not be drawn (${error.message}). Every figure's table below holds its numbers; `
      + "a browser of 2023 or later draws them.";
    root.dataset.charts = "failed";
  }
})();
