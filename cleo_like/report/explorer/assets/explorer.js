"use strict";
// One page, no server. State: which cells pass the filters (shown), which are selected by lasso,
// which one is looked at. Every view is drawn from that state, so that brushing goes both ways.
(async () => {
const $ = id => document.getElementById(id);
const told = JSON.parse($("told").textContent);
const MISSING = -32768, N = told.n, F = told.features.length;
const el = (tag, text, props) => Object.assign(document.createElement(tag), { textContent: text ?? "" }, props);

// ---- data: one gzip of typed arrays, column by column
async function unpack() {
  const raw = Uint8Array.from(atob($("packed").textContent), c => c.charCodeAt(0));
  const stream = new Blob([raw]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}
const bytes = await unpack();
const part = (name, Type) => {
  const p = told.parts[name];
  return p ? new Type(bytes, p[0], p[1]) : null;
};
const xy = part("xy", Uint16Array), ints = part("features", Int16Array);
const near = part("scaled", Int8Array), traces = part("traces", Int8Array);
const exact = part("exact", Float64Array), rest = part("rest", Int8Array), cited = part("cited", Uint32Array);
const codes = told.labels.map((_, k) => part("label" + k, Uint16Array));
const ids = new TextDecoder().decode(part("ids", Uint8Array)).split("\n");
const value = (f, i) => {
  const v = ints[f * N + i], t = told.features[f];
  return v === MISSING ? NaN : t.low + (v + 2048) / 4095 * (t.high - t.low);
};
const shownText = (f, i) => {
  const v = written(f, i), t = told.features[f];
  return v === "" ? "missing" : Number(v).toPrecision(4).replace(/\.?0+(?=$|e)/, "") + (t.unit === "1" ? "" : " " + t.unit);
};
const real = (f, v) => told.features[f].log ? 10 ** v : v;
const plain = (f, v) => told.features[f].log ? Math.log10(v) : v;
const x = new Float32Array(N), y = new Float32Array(N);
for (let i = 0; i < N; i++) { x[i] = xy[i] / 32767.5 - 1; y[i] = xy[N + i] / 32767.5 - 1; }

// ---- state
const ranges = new Map(), hidden = told.labels.map(() => new Set());
let later = 0, lasso = null, looked = -1, words = "", mark = null, last = { scan: 0, draw: 0 };
const pass = new Uint8Array(N).fill(1);
let shown = Array.from({ length: N }, (_, i) => i);

function scan() {
  const start = performance.now();
  pass.fill(1);
  for (const [f, [low, high]] of ranges) {
    const t = told.features[f], at = f * N, step = (t.high - t.low) / 4095;
    const a = Math.ceil((low - t.low) / step - 1e-6) - 2048, b = Math.floor((high - t.low) / step + 1e-6) - 2048;
    for (let i = 0; i < N; i++) { const v = ints[at + i]; if (v < a || v > b) pass[i] = 0; }
  }
  hidden.forEach((set, k) => {
    if (!set.size) return;
    const c = codes[k];
    for (let i = 0; i < N; i++) if (set.has(c[i])) pass[i] = 0;
  });
  if (words) for (let i = 0; i < N; i++) if (pass[i] && !textOf(i).includes(words)) pass[i] = 0;
  if (mark) for (let i = 0; i < N; i++) if (!mark.has(i)) pass[i] = 0;
  if (lasso) for (let i = 0; i < N; i++) if (pass[i] && !lasso.has(i)) pass[i] = 0;
  shown = [];
  for (let i = 0; i < N; i++) if (pass[i]) shown.push(i);
  last.scan = performance.now() - start;
}
const texts = new Array(N);
const textOf = i => texts[i] ??= (ids[i] + " " + told.labels.map((l, k) => l.values[codes[k][i]] ?? "").join(" ")).toLowerCase();

async function update() {
  const start = performance.now();
  scan();
  await view.filter(shown.length === N ? null : shown);
  last.draw = performance.now() - start;
  clearTimeout(later); later = setTimeout(() => { drawAxes(); drawTable(); }, 32); // the map first: a frame of it
  $("status").textContent = `${shown.length} of ${N} cells shown` + (lasso ? ", lasso" : "") + (ranges.size ? `, ${ranges.size} range(s)` : "");
}

// ---- colours
const VIRIDIS = ["#440154", "#482878", "#3e4989", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725"];
const KINDS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#999933", "#882255", "#44aa99", "#aa4499", "#117733", "#888888"];
const GREY = "#9aa0a6";
let colour = { kind: "label", k: 0 };
function colourCodes() { // one small number per point: its place in the palette; the last is "missing"
  const out = new Float32Array(N);
  if (colour.kind === "label") {
    const c = codes[colour.k], l = told.labels[colour.k], m = KINDS.length;
    for (let i = 0; i < N; i++) out[i] = l.values[c[i]] === "" ? m : c[i] % m;
    return [out, [...KINDS, GREY]];
  }
  const m = VIRIDIS.length, at = colour.f * N;
  for (let i = 0; i < N; i++) { const v = ints[at + i]; out[i] = v === MISSING ? m : Math.min(m - 1, Math.floor((v + 2048) / 4096 * m)); }
  return [out, [...VIRIDIS, GREY]];
}
function legend() {
  const box = $("legend"); box.replaceChildren();
  const line = (c, text) => { const d = el("div"); const s = el("span", "", { className: "swatch" }); s.style.background = c; d.append(s, el("span", text)); box.append(d); };
  if (colour.kind === "label") {
    const l = told.labels[colour.k];
    l.values.forEach((v, c) => { if (c < 60) line(v === "" ? GREY : KINDS[c % KINDS.length], (v === "" ? "unknown" : v) + ` (${l.counts[c]})`); });
  } else {
    const t = told.features[colour.f], bar = el("div", "", { className: "bar" });
    bar.style.background = `linear-gradient(to right, ${VIRIDIS.join(",")})`;
    box.append(bar, el("div", `${real(colour.f, t.low).toPrecision(3)} to ${real(colour.f, t.high).toPrecision(3)} ${t.unit === "1" ? "" : t.unit}${t.log ? ", logarithmic" : ""}`));
    box.append(el("div", t.meaning, { className: "soft" }));
    line(GREY, `missing (${t.missing})`);
  }
}

// ---- the map: WebGL by regl-scatterplot, or a canvas where there is none
const dark = () => document.documentElement.dataset.theme === "dark";
let canvas = $("scatter");
const pointSize = N > 50000 ? 2 : N > 5000 ? 3 : N > 500 ? 5 : 7;
async function webgl() {
  const { width, height } = $("map").getBoundingClientRect();
  const plot = window.createScatterplot({
    canvas, width, height, pointSize, opacity: 0.85,
    lassoOnLongPress: false, spatialIndexUseWorker: false,
    cameraDistance: 1.06 * Math.max(1, height / width), // all cells, whatever the shape of the window
    backgroundColor: dark() ? "#0d1117" : "#ffffff", pointColorActive: "#d1242f", lassoColor: "#d1242f",
  });
  await plot.get("isDestroyed");
  const paint = async () => {
    const [z, palette] = colourCodes();
    plot.set({ colorBy: "valueA", pointColor: palette });
    await plot.draw({ x, y, z }, { zDataType: "categorical", filter: shown.length === N ? undefined : shown });
  };
  plot.subscribe("pointover", i => hover(i));
  plot.subscribe("pointout", () => hover(-1));
  plot.subscribe("select", ({ points }) => {
    if (quiet) return;
    if (points.length === 1) look(points[0]);
    else if (points.length > 1) { lasso = new Set(points); update(); }
  });
  let quiet = false;
  new ResizeObserver(() => { const r = $("map").getBoundingClientRect(); if (r.width) plot.set({ width: r.width, height: r.height }); }).observe($("map"));
  return {
    name: "webgl", paint,
    filter: list => list ? plot.filter(list) : plot.unfilter(),
    pick: i => { quiet = true; i >= 0 && pass[i] ? plot.select([i]) : plot.deselect(); quiet = false; },
    place: i => plot.getScreenPosition(i) ?? [0, 0],
    zoom: f => { const [w, h] = [plot.get("width"), plot.get("height")]; canvas.dispatchEvent(new WheelEvent("wheel", { deltaY: f > 1 ? -80 : 80, clientX: canvas.getBoundingClientRect().x + w / 2, clientY: canvas.getBoundingClientRect().y + h / 2 })); },
    theme: () => plot.set({ backgroundColor: dark() ? "#0d1117" : "#ffffff" }),
  };
}
function flat() { // 2-D canvas: the same calls
  const g = canvas.getContext("2d", { willReadFrequently: true }), cam = { k: 0.95, x: 0, y: 0 };
  let z, palette, list = null, path = null, drag = null, chosen = -1;
  const size = () => { const r = $("map").getBoundingClientRect(), d = devicePixelRatio || 1; canvas.width = r.width * d; canvas.height = r.height * d; g.setTransform(d, 0, 0, d, 0, 0); return [r.width, r.height]; };
  let [w, h] = size();
  const sx = i => w / 2 + (x[i] * cam.k + cam.x) * Math.min(w, h) / 2, sy = i => h / 2 - (y[i] * cam.k + cam.y) * Math.min(w, h) / 2;
  const draw = () => {
    g.fillStyle = dark() ? "#0d1117" : "#ffffff"; g.fillRect(0, 0, w, h);
    const each = list ?? { length: N }, s = pointSize;
    for (let p = 0; p < palette.length; p++) {
      g.fillStyle = palette[p];
      for (let j = 0; j < each.length; j++) { const i = list ? list[j] : j; if (z[i] === p) g.fillRect(sx(i) - s / 2, sy(i) - s / 2, s, s); }
    }
    if (chosen >= 0) { g.strokeStyle = "#d1242f"; g.lineWidth = 2; g.beginPath(); g.arc(sx(chosen), sy(chosen), s + 3, 0, 7); g.stroke(); }
    if (path) { g.strokeStyle = "#d1242f"; g.beginPath(); path.forEach(([a, b], k) => k ? g.lineTo(a, b) : g.moveTo(a, b)); g.stroke(); }
  };
  const at = e => { const r = canvas.getBoundingClientRect(); return [e.clientX - r.x, e.clientY - r.y]; };
  const nearest = ([a, b]) => { let best = -1, d = 100; for (const i of shown) { const q = (sx(i) - a) ** 2 + (sy(i) - b) ** 2; if (q < d) { d = q; best = i; } } return best; };
  const inside = (px, py) => { let c = false; for (let i = 0, j = path.length - 1; i < path.length; j = i++) { const [xi, yi] = path[i], [xj, yj] = path[j]; if (yi > py !== yj > py && px < (xj - xi) * (py - yi) / (yj - yi) + xi) c = !c; } return c; };
  canvas.addEventListener("pointerdown", e => { e.shiftKey ? path = [at(e)] : drag = [...at(e), false]; canvas.setPointerCapture(e.pointerId); });
  canvas.addEventListener("pointermove", e => {
    const p = at(e);
    if (path) { path.push(p); draw(); } else if (drag) { cam.x += (p[0] - drag[0]) * 2 / Math.min(w, h); cam.y -= (p[1] - drag[1]) * 2 / Math.min(w, h); drag = [...p, true]; draw(); } else hover(nearest(p));
  });
  canvas.addEventListener("pointerup", e => {
    if (path && path.length > 2) { lasso = new Set(shown.filter(i => inside(sx(i), sy(i)))); path = null; update(); } else if (drag && !drag[2]) look(nearest(at(e)));
    path = drag = null; draw();
  });
  canvas.addEventListener("wheel", e => { e.preventDefault(); cam.k *= Math.exp(-e.deltaY / 500); draw(); }, { passive: false });
  new ResizeObserver(() => { [w, h] = size(); if (z) draw(); }).observe($("map"));
  return {
    name: "canvas", paint: async () => { [z, palette] = colourCodes(); draw(); }, filter: async l => { list = l; draw(); },
    pick: i => { chosen = i; draw(); }, place: i => [sx(i), sy(i)], zoom: f => { cam.k *= f; draw(); }, theme: draw,
  };
}

// ---- one cell
function drawTraces(box, i, width) {
  if (!traces) return;
  for (let k = 0; k < told.traces.names.length; k++) {
    const at = (i * told.traces.names.length + k) * told.traces.length;
    if (traces[at] === -128) continue;
    const c = el("canvas", "", { width, height: 56 }), g = c.getContext("2d");
    c.setAttribute("role", "img"); c.setAttribute("aria-label", told.traces.names[k]);
    g.strokeStyle = dark() ? "#79c0ff" : "#0550ae"; g.beginPath();
    for (let j = 0; j < told.traces.length; j++) { const yy = 53 - (traces[at + j] + 127) / 254 * 50, xx = j / (told.traces.length - 1) * width; j ? g.lineTo(xx, yy) : g.moveTo(xx, yy); }
    g.stroke(); box.append(el("div", told.traces.names[k], { className: "soft" }), c);
  }
}
function hover(i) {
  const tip = $("tip"); tip.hidden = i < 0;
  if (i < 0) return;
  tip.replaceChildren(el("strong", ids[i]), el("div", told.labels.map((l, k) => l.values[codes[k][i]]).filter(Boolean).join(", ")));
  drawTraces(tip, i, 200);
  const [a, b] = view.place(i), r = $("map").getBoundingClientRect();
  tip.style.left = Math.min(a + 12, r.width - 220) + "px"; tip.style.top = Math.min(b + 12, Math.max(0, r.height - tip.offsetHeight - 4)) + "px";
}
function neighbours(i) { // exact, in the space that the page has: the common scale, missing left out
  const d = new Float32Array(N), D = told.scaled_features;
  for (let f = 0; f < D; f++) {
    const at = f * N, v = near ? near[at + i] : ints[at + i];
    const unit = near ? 1 / 31 : 1 / told.features[f].sd;
    for (let j = 0; j < N; j++) { const o = near ? near[at + j] : ints[at + j]; const e = v === MISSING || o === MISSING ? 1 : (o - v) * unit; d[j] += e * e; }
  }
  const best = [];
  for (let j = 0; j < N; j++) { if (j === i) continue; if (best.length < 15 || d[j] < d[best[best.length - 1]]) { let p = best.length; while (p && d[best[p - 1]] > d[j]) p--; best.splice(p, 0, j); best.length = Math.min(best.length, 15); } }
  return best.map(j => [j, Math.sqrt(d[j])]);
}
function look(i) {
  looked = i; view.pick(i);
  if (i < 0) return;
  $("cell-title").textContent = ids[i];
  $("traces").replaceChildren(); drawTraces($("traces"), i, 260);
  const links = $("links"); links.replaceChildren();
  for (const [text, url] of linksOf(i)) links.append(el("a", text, { href: url, target: "_blank", rel: "noopener noreferrer" }), " ");
  $("neighbours").replaceChildren(...neighbours(i).map(([j, d]) => { const li = el("li"), b = el("button", `${ids[j]} (${d.toFixed(2)})`, { type: "button" }); b.onclick = () => { look(j); $("cell").focus(); }; li.append(b); return li; }));
  const facts = $("facts"); facts.replaceChildren();
  told.labels.forEach((l, k) => facts.append(el("dt", l.name), fact(l.values[codes[k][i]] || "unknown", !l.values[codes[k][i]])));
  told.features.forEach((t, f) => facts.append(el("dt", t.label, { title: t.meaning }), fact(shownText(f, i), Number.isNaN(value(f, i)))));
  drawAxes(); // with the line of this cell
}
const fact = (text, missing) => el("dd", text, { className: missing ? "missing" : "" });
function labelOf(name, i) { const k = told.labels.findIndex(l => l.name === name); return k < 0 ? "" : told.labels[k].values[codes[k][i]]; }
function linksOf(i) {
  const out = [], dandiset = labelOf("dandiset", i);
  if (/^\d{6}$/.test(dandiset)) {
    out.push(["DANDI", `https://dandiarchive.org/dandiset/${dandiset}`]);
    const asset = told.assets && told.assets[i];
    if (asset && /^[0-9a-f-]{36}$/.test(asset)) out.push(["Neurosift", `https://neurosift.app/nwb?url=https://api.dandiarchive.org/api/assets/${asset}/download/&dandisetId=${dandiset}`]);
  }
  return out;
}

// ---- parallel coordinates
const axes = $("axes"), axisWidth = 92;
function drawAxes() {
  const r = $("parallel").getBoundingClientRect(), d = devicePixelRatio || 1, w = Math.max(r.width - 2, F * axisWidth), h = r.height - 18;
  axes.style.width = w + "px"; axes.width = w * d; axes.height = h * d; axes.style.height = h + "px";
  const g = axes.getContext("2d", { willReadFrequently: true }); g.scale(d, d); // drawn by the processor
  const style = getComputedStyle(document.documentElement), ink = style.getPropertyValue("--ink"), line = style.getPropertyValue("--line");
  const px = f => (f + .5) * w / F, top = 34, bottom = h - 22, py = (f, i) => { const v = ints[f * N + i]; return v === MISSING ? h - 8 : bottom - (v + 2048) / 4095 * (bottom - top); };
  const step = Math.max(1, Math.ceil(shown.length / 300));
  g.lineWidth = 1; g.globalAlpha = Math.max(.08, Math.min(.5, 60 / (shown.length / step))); g.strokeStyle = dark() ? "#79c0ff" : "#0550ae";
  for (let s = 0; s < shown.length; s += step) { // one short path each: a single long one is slow
    const i = shown[s]; g.beginPath();
    for (let f = 0; f < F; f++) f ? g.lineTo(px(f), py(f, i)) : g.moveTo(px(f), py(f, i));
    g.stroke();
  }
  g.globalAlpha = 1;
  if (looked >= 0) { g.strokeStyle = "#d1242f"; g.lineWidth = 2; g.beginPath(); for (let f = 0; f < F; f++) f ? g.lineTo(px(f), py(f, looked)) : g.moveTo(px(f), py(f, looked)); g.stroke(); g.lineWidth = 1; }
  g.font = "11px system-ui"; g.textAlign = "center";
  told.features.forEach((t, f) => {
    g.strokeStyle = line; g.beginPath(); g.moveTo(px(f), top); g.lineTo(px(f), bottom); g.stroke();
    g.fillStyle = ink; const name = t.short; g.fillText(name.slice(0, 18), px(f), 11, w / F - 4); g.fillText(real(f, t.high).toPrecision(3), px(f), top - 5); g.fillText(real(f, t.low).toPrecision(3), px(f), bottom + 11);
    const range = ranges.get(f);
    if (range) { const q = v => bottom - (v - t.low) / (t.high - t.low) * (bottom - top); g.fillStyle = "rgba(209,36,47,.35)"; g.fillRect(px(f) - 7, q(range[1]), 14, Math.max(2, q(range[0]) - q(range[1]))); }
  });
  axes.geometry = { w, top, bottom };
}
let brush = null;
const axisAt = e => { const r = axes.getBoundingClientRect(), { w, top, bottom } = axes.geometry, f = Math.max(0, Math.min(F - 1, Math.floor((e.clientX - r.x) / (w / F)))), t = told.features[f]; return [f, t.low + Math.max(0, Math.min(1, (bottom - (e.clientY - r.y)) / (bottom - top))) * (t.high - t.low)]; };
axes.addEventListener("pointerdown", e => { brush = axisAt(e); axes.setPointerCapture(e.pointerId); });
axes.addEventListener("pointermove", e => { if (brush) { const [, v] = axisAt(e); ranges.set(brush[0], [Math.min(v, brush[1]), Math.max(v, brush[1])]); drawAxes(); } });
axes.addEventListener("pointerup", e => { if (!brush) return; const [f, start] = brush, [, v] = axisAt(e); brush = null; Math.abs(v - start) < 1e-3 * (told.features[f].high - told.features[f].low) ? ranges.delete(f) : 0; drawRanges(); update(); });

// ---- filters with the keyboard
function drawRanges() {
  $("ranges").replaceChildren(...[...ranges].map(([f, [low, high]]) => {
    const box = el("div", "", { className: "range" }), t = told.features[f], row = el("div", "", { className: "row" });
    const field = (text, v, put) => { const input = el("input", "", { type: "number", step: "any", value: Number(real(f, v).toPrecision(5)) }); input.setAttribute("aria-label", `${text} of ${t.label}`); input.onchange = () => { const n = plain(f, Number(input.value)); if (Number.isFinite(n)) { put(n); update(); } }; return input; };
    row.append(field("least", low, n => ranges.set(f, [n, ranges.get(f)[1]])), " to ", field("most", high, n => ranges.set(f, [ranges.get(f)[0], n])));
    const drop = el("button", "x", { type: "button" }); drop.setAttribute("aria-label", `no range of ${t.label}`); drop.onclick = () => { ranges.delete(f); drawRanges(); update(); };
    box.append(el("span", t.label), drop, row); return box;
  }));
}
function drawValues() {
  const k = Number($("category").value), l = told.labels[k];
  $("values").replaceChildren(...l.values.map((v, c) => {
    const label = el("label"), box = el("input", "", { type: "checkbox", checked: !hidden[k].has(c) });
    box.onchange = () => { box.checked ? hidden[k].delete(c) : hidden[k].add(c); update(); };
    label.append(box, `${v || "unknown"} (${l.counts[c]})`); return label;
  }));
}

// ---- table
const ROWS = 50; // more would cost more than the map
function drawTable() {
  const rows = shown.slice(0, ROWS).map(i => {
    const tr = el("tr"), first = el("td"), b = el("button", ids[i], { type: "button" });
    b.onclick = () => look(i); first.append(b); tr.append(first);
    told.labels.forEach((l, k) => { const v = l.values[codes[k][i]]; tr.append(el("td", v || "unknown", { className: v ? "" : "missing", title: v })); });
    told.features.forEach((_, f) => { const m = Number.isNaN(value(f, i)); tr.append(el("td", shownText(f, i), { className: m ? "missing" : "" })); });
    return tr;
  });
  if (shown.length > ROWS) rows.push(el("tr", ""));
  $("rows").replaceChildren(...rows);
  if (shown.length > ROWS) rows[ROWS].append(el("td", `... and ${shown.length - ROWS} more: filter, or take the CSV`));
}
$("head").append(el("th", "cell", { scope: "col" }), ...told.labels.map(l => el("th", l.name, { scope: "col" })), ...told.features.map(t => el("th", t.label, { scope: "col", title: t.meaning })));

function written(f, i) { // as in the table where the page has it so, else as exactly as it has it
  const v = ints[f * N + i], t = told.features[f];
  if (v === MISSING) return exact && !Number.isNaN(exact[f * N + i]) ? String(exact[f * N + i]) : "";
  if (exact) return String(exact[f * N + i]);
  const level = v + 2048 + (rest ? rest[f * N + i] / 254 : 0);
  return String(Number(real(f, t.low + level / 4095 * (t.high - t.low)).toPrecision(rest ? 6 : 4)));
}
function csv() {
  const quote = v => /[",\n]/.test(v) ? `"${v.replace(/"/g, '""')}"` : v;
  const safe = v => quote(/^[=+\-@\t]/.test(v) && !Number.isFinite(Number(v)) ? "'" + v : v); // no formula in a spreadsheet
  const keyOf = i => { const d = labelOf("dandiset", i); return d ? "DANDI:" + d : labelOf("lab", i); };
  const keys = new Set(shown.map(i => cited ? told.citations[cited[i]][0] : keyOf(i)));
  const lines = [`# ${shown.length} of ${N} cells of ${told.name} (${told.hash})`, ...told.citations.filter(([k]) => keys.has(k)).map(([k, v]) => `# cite ${k}: ${v.replace(/\s+/g, " ")}`)];
  if (!exact && !rest) lines.push("# values to 1/4095 of the range of each feature; the table of the map has them as they are");
  if (told.left_out.length) lines.push(`# columns of the map that are not in the page: ${told.left_out.join(", ")}`);
  lines.push(["cell_id", ...told.labels.map(l => l.name), ...told.features.map(t => t.name)].map(quote).join(","));
  for (const i of shown) lines.push([safe(ids[i]), ...told.labels.map((l, k) => safe(l.values[codes[k][i]])), ...told.features.map((_, f) => written(f, i))].join(","));
  return lines.join("\n") + "\n";
}
$("csv").onclick = () => { const a = el("a", "", { href: URL.createObjectURL(new Blob([csv()], { type: "text/csv" })), download: "cells.csv" }); a.click(); URL.revokeObjectURL(a.href); };

// ---- controls
told.labels.forEach((l, k) => { $("colour").append(el("option", l.name, { value: "l" + k })); $("category").append(el("option", l.name, { value: k })); });
told.features.forEach((t, f) => $("colour").append(el("option", t.label, { value: "f" + f })));
$("range").append(el("option", "choose a feature", { value: "" }), ...told.features.map((t, f) => el("option", t.label, { value: f })));
$("landmark").append(el("option", "all cells", { value: "" }), ...told.landmarks.map((m, k) => el("option", `${m.name} (${m.members.length})`, { value: k })));
$("colour").onchange = async e => { const v = e.target.value; colour = v[0] === "l" ? { kind: "label", k: Number(v.slice(1)) } : { kind: "feature", f: Number(v.slice(1)) }; legend(); await view.paint(); };
$("category").onchange = drawValues;
$("range").onchange = e => { const f = Number(e.target.value), t = told.features[f]; if (e.target.value !== "" && !ranges.has(f)) { ranges.set(f, [t.low, t.high]); drawRanges(); update(); $("ranges").querySelector(".range:last-child input").focus(); } e.target.value = ""; };
$("landmark").onchange = e => { const m = told.landmarks[Number(e.target.value)]; mark = e.target.value === "" ? null : new Set(m.members); $("landmark-text").textContent = mark ? `${m.meaning}. ${m.rule} (${m.literature})` : ""; update(); };
$("search").oninput = e => { words = e.target.value.trim().toLowerCase(); update(); };
$("clear").onclick = () => { ranges.clear(); hidden.forEach(s => s.clear()); lasso = null; mark = null; words = ""; $("search").value = ""; $("landmark").value = ""; $("landmark-text").textContent = ""; look(-1); drawRanges(); drawValues(); update(); };
const theme = name => { document.documentElement.dataset.theme = name; $("theme").textContent = name === "dark" ? "Light" : "Dark"; $("theme").setAttribute("aria-pressed", String(name === "dark")); };
$("theme").onclick = () => { theme(dark() ? "light" : "dark"); view.theme(); drawAxes(); };
theme(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
$("map").addEventListener("keydown", e => {
  const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[e.key];
  if (way) { // the nearest shown cell in that direction, within 45 degrees
    e.preventDefault();
    if (looked < 0 || !pass[looked]) { look(shown[0] ?? -1); } else {
      let best = -1, d = Infinity;
      for (const i of shown) { const a = x[i] - x[looked], b = y[i] - y[looked], along = a * way[0] + b * way[1], aside = Math.abs(a * way[1] + b * way[0]); if (i !== looked && along > 0 && aside <= along && a * a + b * b < d) { d = a * a + b * b; best = i; } }
      if (best >= 0) look(best);
    }
    hover(looked); drawAxes();
  } else if (e.key === "+" || e.key === "=") view.zoom(1.25);
  else if (e.key === "-") view.zoom(.8);
  else if (e.key === "Escape") { hover(-1); $("clear").click(); }
});
addEventListener("resize", drawAxes);

let view;
try {
  if (location.hash === "#canvas" || !document.createElement("canvas").getContext("webgl")) throw new Error("no WebGL");
  view = await webgl();
} catch (error) { 
  console.info("drawn without WebGL: " + error);
  const fresh = canvas.cloneNode(); canvas.replaceWith(fresh); canvas = fresh; // the old one may be WebGL's
  view = flat();
}
legend(); drawValues();
await view.paint();
// the first filter compiles code and shaders: before anybody waits for it
for (let f = 0; f < Math.min(F, 2); f++) ranges.set(f, [told.features[f].low, told.features[f].high]);
for (let k = 0; k < 5; k++) scan();
ranges.clear();
await view.filter([0]); await view.filter(shown.slice(0, N >> 1));
await update();
window.explorer = { told, view, update, look, csv, neighbours, ranges, last, scan, drawRanges, shown: () => shown, lassoed: list => { lasso = list ? new Set(list) : null; return update(); }, looked: () => looked };
document.documentElement.dataset.ready = view.name;
})();
