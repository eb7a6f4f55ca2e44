// Draws one panel of a figure from its JSON: the same style for an objective everywhere.
"use strict";
const AssayChart = (() => {
  // Okabe and Ito: told apart with any colour vision; marker and dash say the same again.
  const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8A8A8A"];
  const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "triangle-down", "pentagon", "star"];
  const DASHES = ["solid", "dash", "dashdot", "longdash", "dot", "longdashdot", "solid"];
  const GREY = "#858b91";
  const INTERVALS = { bootstrap: "runs resampled", student: "t over runs" };
  const HEIGHT = 320, TOP = 8, BOTTOM = 50;

  function styleOf(objectives, series) {
    const i = series.palette >= 0 ? series.palette : objectives.indexOf(series.objective);
    if (i < 0) return { colour: GREY, symbol: "circle", dash: "dot" };
    return { colour: COLOURS[i % 7], symbol: SYMBOLS[i % 7], dash: DASHES[i % 7] };
  }

  function fade(colour, alpha) {
    const n = parseInt(colour.slice(1), 16);
    return `rgba(${n >> 16},${(n >> 8) & 255},${n & 255},${alpha})`;
  }

  function short(value) {
    if (value === null || value === undefined) return "missing";
    if (value === 0) return "0";
    const text = Math.abs(value) >= 1e5 || Math.abs(value) < 1e-3
      ? value.toExponential(2) : String(Number(value.toPrecision(3)));
    return text.replace(/-/g, "−");
  }

  function si(flops) {
    const prefixes = ["", "k", "M", "G", "T", "P", "E", "Z", "Y"];
    let i = 0;
    while (flops >= 999.5 && i < 8) { flops /= 1000; i += 1; }
    return Number(flops.toPrecision(2)) + prefixes[i];
  }

  // ---- y: linear, or linear near 0 and logarithmic outside ----
  function yScale(panel) {
    if (!panel.symlog) return { map: v => v, ticks: null };
    const w = panel.linear_width;
    const map = v => Math.abs(v) <= w ? v / w : Math.sign(v) * (1 + Math.log10(Math.abs(v) / w));
    const ticks = (low, high) => {
      const values = [0];
      const decades = Math.ceil(Math.max(Math.abs(low), Math.abs(high)));
      const step = (low >= 1 ? high - low : decades) > 5 ? 2 : 1;
      const within = high - low > 2 ? [1] : high - low > 0.7 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9];
      for (let k = 0; k <= decades; k += step)
        for (const part of within)
          for (const sign of [1, -1]) values.push(sign * part * w * 10 ** k);
      const shown = values.filter(v => map(v) >= low - 1e-9 && map(v) <= high + 1e-9);
      if (shown.length < 3 && low >= 1 && high - low < 0.7) return evenTicks(w * 10 ** (low - 1), w * 10 ** (high - 1), map);
      return { at: shown.map(map), text: shown.map(power) };
    };
    return { map, ticks };
  }

  // Of a range too short for decades and their parts.
  function evenTicks(low, high, map) {
    const rough = (high - low) / 4, unit = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].find(s => s * unit >= rough) * unit;
    const values = [];
    for (let k = Math.ceil(low / step); k * step <= high; k += 1) values.push(k * step);
    return { at: values.map(map), text: values.map(v => String(Number(v.toPrecision(4)))) };
  }

  function power(value) {
    if (value === 0) return "0";
    const exponent = Math.round(Math.log10(Math.abs(value)));
    const sign = value < 0 ? "−" : "";
    if (exponent >= -3 && exponent <= 3) return sign + Number(Math.abs(value).toPrecision(2));
    return `${sign}10<sup>${String(exponent).replace("-", "−")}</sup>`;
  }

  // Intervals may leave the panel (two seeds make them very wide); values never do. Where categories are
  // compared, the intervals are what is read, and more of them stays inside.
  function yRange(panels) {
    const reach = panels[0].categories.length ? 1.5 : 0.45;
    const { map } = yScale(panels[0]);
    let low = Infinity, high = -Infinity, outerLow = Infinity, outerHigh = -Infinity, seen = 0;
    const see = v => { if (Number.isFinite(v)) { seen += 1; low = Math.min(low, map(v)); high = Math.max(high, map(v)); } };
    for (const panel of panels)
      for (const series of panel.series)
        for (const mark of series.marks) {
          if (mark.value !== null) see(mark.value);
          for (const r of mark.replicates) if (r.value !== null) see(r.value);
          if (mark.low !== null) outerLow = Math.min(outerLow, map(mark.low));
          if (mark.high !== null) outerHigh = Math.max(outerHigh, map(mark.high));
        }
    if (!Number.isFinite(low)) return [0, 1];
    const span = Math.max(high - low, Math.abs(high) * 0.1, seen > 2 ? 0 : 3 * (outerHigh - outerLow), 1e-12);
    const from = Math.max(Math.min(low, outerLow), low - reach * span);
    const to = Math.min(Math.max(high, outerHigh), high + reach * span);
    const pad = 0.05 * (to - from);
    return [from - pad, to + pad];
  }

  // ---- x: FLOPs on a logarithmic axis with a place for "start", or categories ----
  function xScale(panel) {
    if (panel.categories.length) {
      const index = new Map(panel.categories.map((c, i) => [c, i]));
      return { map: x => index.get(x), at: panel.categories.map((_, i) => i), text: panel.categories,
               range: [-0.5, panel.categories.length - 0.5] };
    }
    const all = panel.series.flatMap(s => s.marks.map(m => m.x)).filter(x => x !== null);
    const positive = all.filter(x => x > 0).map(Math.log10);
    const low = positive.length ? Math.min(...positive) : 0, high = positive.length ? Math.max(...positive) : 1;
    const start = low - Math.max(0.35, 0.22 * (high - low));
    const zero = all.some(x => x === 0);
    const steps = high - low > 3.2 ? [1] : high - low > 1.4 ? [1, 3] : [1, 2, 5];
    const at = [], text = [];
    if (zero) { at.push(start); text.push("start"); }
    for (let k = Math.floor(low) - 1; k <= Math.ceil(high); k += 1)
      for (const s of steps) {
        const u = k + Math.log10(s);
        if (u >= low - 0.12 && u <= high + 0.08) { at.push(u); text.push(si(s * 10 ** k)); }
      }
    return { map: x => x > 0 ? Math.log10(x) : start, at, text,
             range: [(zero ? start : low) - 0.08, high + 0.06] };
  }

  function hover(series, mark, where) {
    const interval = mark.low === null ? "no interval"
      : `95%: ${short(mark.low)} to ${short(mark.high)} (${mark.interval === "seeds"
        ? `over ${mark.seeds} seeds` : INTERVALS[mark.interval] || "one trial"})`;
    return `<b>${escapeText(series.label)}</b> ${escapeText(where)}<br>${short(mark.value)} ${series.unit === "1" ? "" : escapeText(series.unit)}<br>${interval}`;
  }

  function escapeText(text) {
    return String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  }

  // One closed polygon per run of marks with intervals: a fill over a gap would invent data.
  function bands(marks, x, y, colour) {
    const runs = [[]];
    for (const m of marks) {
      if (m.value === null || m.low === null) runs.push([]);
      else runs[runs.length - 1].push(m);
    }
    return runs.filter(run => run.length > 1).map(run => ({
      type: "scatter", mode: "lines", hoverinfo: "skip", showlegend: false, line: { width: 0 },
      fill: "toself", fillcolor: fade(colour, 0.14),
      x: run.map(m => x(m.x)).concat(run.map(m => x(m.x)).reverse()),
      y: run.map(m => y(m.high)).concat(run.map(m => y(m.low)).reverse()),
    }));
  }

  function seedPoints(series, marks, x, y, style) {
    const points = [];
    for (const m of marks)
      for (const r of m.replicates)
        if (r.value !== null && (m.replicates.length > 1 || !r.counts)) points.push({ m, r });
    if (!points.length) return [];
    return [{
      type: "scatter", mode: "markers", showlegend: false, hoverinfo: "text",
      x: points.map(p => x(p.m)), y: points.map(p => y(p.r.value)),
      text: points.map(p => `${escapeText(series.label)}, seed ${p.r.seed}: ${short(p.r.value)}${p.r.counts
        ? "" : " (not in the mean: this trial did not complete)"}`),
      marker: { color: style.colour, opacity: 0.65, size: points.map(p => p.r.counts ? 4 : 8),
                symbol: points.map(p => p.r.counts ? style.symbol : "x-thin"),
                line: { color: style.colour, width: points.map(p => p.r.counts ? 0 : 2) } },
    }];
  }

  function lineTraces(series, rank, x, y, style) {
    const marks = series.marks;
    const seen = marks.filter(m => m.value !== null);
    const reference = !series.objective;
    const thin = rank > 0;  // a second size of the same objective in one panel
    return [
      ...(reference ? [] : bands(marks, x.map, y.map, style.colour)),
      {
        type: "scatter", mode: reference ? "lines" : "lines+markers", name: series.label, showlegend: false,
        connectgaps: false, hoverinfo: "text",
        x: marks.map(m => x.map(m.x)), y: marks.map(m => m.value === null ? null : y.map(m.value)),
        text: marks.map(m => hover(series, m, reference ? "" : m.x > 0 ? `at ${si(m.x)}FLOP` : "at the start")),
        line: { color: style.colour, width: reference ? 1.6 : thin ? 3 : 2,
                dash: reference ? (series.label.startsWith("raw") ? "dot" : "dash") : style.dash },
        marker: { color: style.colour, size: thin ? 9 : 7,
                  symbol: style.symbol + (thin ? "-open" : "") },
      },
      ...(seen.length ? seedPoints(series, marks, m => x.map(m.x), y.map, style) : []),
    ];
  }

  // A law: its curve without markers, dashed where it leaves the fitted range; measured values as points.
  function lawTraces(series, x, y, style) {
    const seen = series.marks.filter(m => m.value !== null);
    const common = { type: "scatter", name: series.label, showlegend: false, hoverinfo: "text",
      x: seen.map(m => x.map(m.x)), y: seen.map(m => y.map(m.value)),
      text: seen.map(m => hover(series, m, `at ${si(m.x)}FLOP`)) };
    if (series.drawn === "points")
      return [{ ...common, mode: "markers", marker: { color: style.colour, size: 7, symbol: style.symbol } }];
    if (series.drawn === "bounds")
      return [{ ...common, mode: "markers", marker: { color: style.colour, size: 8, symbol: "triangle-down-open" } }];
    const floor = series.drawn === "floor";
    return [...bands(seen, x.map, y.map, floor ? GREY : style.colour),
      { ...common, mode: "lines", line: { color: floor ? GREY : style.colour, width: 1.8,
        dash: floor ? "dot" : series.drawn === "curve" ? "solid" : "dash" } }];
  }

  function categoryTraces(series, offset, x, y, style) {
    const place = m => x.map(m.x) + offset;
    const marks = series.marks.filter(m => m.value !== null);
    return [
      ...seedPoints(series, series.marks, place, y.map, style),
      {
        type: "scatter", mode: "markers", name: series.label, showlegend: false, hoverinfo: "text",
        x: marks.map(place), y: marks.map(m => y.map(m.value)),
        text: marks.map(m => hover(series, m, m.x)),
        error_y: { type: "data", symmetric: false, color: style.colour, thickness: 1.6, width: 3,
                   array: marks.map(m => m.high === null ? 0 : y.map(m.high) - y.map(m.value)),
                   arrayminus: marks.map(m => m.low === null ? 0 : y.map(m.value) - y.map(m.low)) },
        marker: { color: style.colour, size: 8, symbol: style.symbol },
      },
    ];
  }

  // Names at the right end of the lines, pushed apart so that none covers another.
  function directLabels(panel, objectives, y, range) {
    const scale = (HEIGHT - TOP - BOTTOM) / (range[1] - range[0]);
    const labels = [];
    const extrapolated = new Set(panel.series.filter(s => s.drawn === "extrapolated").map(s => s.label));
    for (const series of panel.series) {
      if (series.drawn === "points" || series.drawn === "bounds") continue;
      if (series.drawn === "curve" && extrapolated.has(series.label)) continue;
      const last = series.marks.filter(m => m.value !== null).pop();
      if (last) labels.push({ text: series.label, at: y.map(last.value),
                              style: styleOf(objectives, series) });
    }
    labels.sort((a, b) => a.at - b.at);
    const gap = 15;
    for (const l of labels) l.pixel = (l.at - range[0]) * scale;
    // Reference lines of several data sets that lie on each other need one name.
    for (let i = labels.length - 1; i > 0; i -= 1)
      for (let j = 0; j < i; j += 1) {
        const base = labels[i].text.split(" (")[0];
        if (labels[i].style.colour === GREY && labels[j].text.split(" (")[0] === base
            && Math.abs(labels[i].pixel - labels[j].pixel) < 8) {
          labels[j].text = base;
          labels.splice(i, 1);
          break;
        }
      }
    for (let pass = 0; pass < 40; pass += 1)
      for (let i = 1; i < labels.length; i += 1) {
        const overlap = gap - (labels[i].pixel - labels[i - 1].pixel);
        if (overlap > 0.01) { labels[i].pixel += overlap / 2; labels[i - 1].pixel -= overlap / 2; }
      }
    return labels.map(l => ({
      xref: "paper", x: 1, xanchor: "left", xshift: 8, yref: "y", y: l.at, yanchor: "middle",
      yshift: l.pixel - (l.at - range[0]) * scale, text: escapeText(l.text), showarrow: false,
      font: { size: 12.5, color: l.style.colour },
    }));
  }

  function themeOf() {
    const css = getComputedStyle(document.documentElement);
    const get = name => css.getPropertyValue(name).trim();
    return { ink: get("--ink"), grid: get("--grid"), line: get("--line") };
  }

  // What changes with the theme; also given to Plotly.relayout by the toggle.
  function themed(theme) {
    return { "font.color": theme.ink, "xaxis.linecolor": theme.line, "xaxis.gridcolor": theme.grid,
             "yaxis.gridcolor": theme.grid, "yaxis.zerolinecolor": theme.ink };
  }

  function layoutOf(panel, objectives, x, y, range) {
    const theme = themeOf();
    const ticks = y.ticks ? y.ticks(range[0], range[1]) : null;
    const labels = panel.categories.length ? [] : directLabels(panel, objectives, y, range);
    const right = labels.length
      ? Math.min(190, 18 + 7.1 * Math.max(...labels.map(l => l.text.length))) : 8;
    const many = panel.categories.length > 6 && Math.max(...panel.categories.map(c => c.length)) > 4;
    return {
      height: HEIGHT, autosize: true, showlegend: false, dragmode: false, hovermode: "closest",
      margin: { l: 62, r: right, t: TOP, b: BOTTOM },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { size: 12.5, color: theme.ink, family: getComputedStyle(document.body).fontFamily },
      annotations: labels,
      xaxis: { range: x.range, tickvals: x.at, ticktext: x.text.map(escapeText), title: { text: panel.x_title, standoff: 6 },
               gridcolor: theme.grid, linecolor: theme.line, showline: true, zeroline: false, ticks: "outside",
               ticklen: 4, tickangle: many ? -30 : 0, showgrid: !panel.categories.length, automargin: many },
      yaxis: { range, title: { text: panel.y_title, standoff: 8 }, gridcolor: theme.grid, zeroline: true,
               zerolinecolor: theme.ink, zerolinewidth: 1, automargin: true,
               ...(ticks ? { tickvals: ticks.at, ticktext: ticks.text } : {}) },
    };
  }

  function draw(element, figure, panel, objectives) {
    const x = xScale(panel), y = yScale(panel);
    const range = yRange(figure.shared_y ? figure.panels : [panel]);
    const traces = [], ranks = new Map();
    panel.series.forEach((series, i) => {
      const style = styleOf(objectives, series);
      const rank = ranks.get(series.objective) || 0;
      ranks.set(series.objective, rank + 1);
      const offset = (i - (panel.series.length - 1) / 2) * Math.min(0.22, 0.7 / panel.series.length);
      traces.push(...(panel.categories.length ? categoryTraces(series, offset, x, y, style)
        : series.drawn ? lawTraces(series, x, y, style) : lineTraces(series, rank, x, y, style)));
    });
    return Plotly.newPlot(element, traces, layoutOf(panel, objectives, x, y, range),
                          { displayModeBar: false, responsive: true });
  }

  // A key for panels of categories, where no line ends at a name.
  function legend(element, figure, objectives) {
    if (!figure.panels.some(p => p.categories.length)) { element.remove(); return; }
    const seen = new Set();
    for (const panel of figure.panels)
      for (const series of panel.series) {
        if (seen.has(series.label)) continue;
        seen.add(series.label);
        const style = styleOf(objectives, series), item = document.createElement("span");
        item.innerHTML = marker(style);
        item.append(series.label);
        element.append(item);
      }
  }

  function marker(style) {
    const shapes = { circle: '<circle cx="7" cy="7" r="5"/>', square: '<rect x="2" y="2" width="10" height="10"/>',
      diamond: '<path d="M7 1 13 7 7 13 1 7z"/>', "triangle-up": '<path d="M7 1 13 12 1 12z"/>',
      "triangle-down": '<path d="M7 13 1 2 13 2z"/>', pentagon: '<path d="M7 1 13 5.5 11 13 3 13 1 5.5z"/>',
      star: '<path d="M7 1 9 5 13 5.5 10 8.5 11 13 7 10.5 3 13 4 8.5 1 5.5 5 5z"/>' };
    return `<svg width="14" height="14" aria-hidden="true" fill="${style.colour}">${shapes[style.symbol]}</svg>`;
  }

  return { draw, legend, themed, themeOf };
})();
