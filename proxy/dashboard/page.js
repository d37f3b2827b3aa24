"use strict";
// The page shows what /api/v1/live sends once a second. All of it is put in as
// text: names come from whoever connects.
const history = new Map(); // by function, and "" for all: jobs per second, the latest last
const former = new Map(); // by function: submitted before

function note(name, rate, most) {
  const rates = history.get(name) ?? [];
  rates.push(rate);
  if (rates.length > most) rates.shift();
  history.set(name, rates);
  return rates;
}

function points(rates, width, height) {
  const top = Math.max(1, ...rates);
  return rates.map((r, i) => `${width - rates.length + 1 + i},${(height - 1 - (height - 2) * r / top).toFixed(1)}`).join(" ");
}

function spark(rates) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 60 16");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `${rates.at(-1)} in the last second, ${Math.max(...rates)} at most`);
  const line = document.createElementNS(space, "polyline");
  line.setAttribute("points", points(rates, 60, 16));
  svg.append(line);
  return svg;
}

function row(name, cells) {
  const tr = document.createElement("tr");
  tr.dataset.name = name;
  cells.forEach((cell, i) => {
    const td = document.createElement(i === 0 ? "th" : "td");
    if (i === 0) td.scope = "row";
    td.append(cell);
    if (cell instanceof HTMLSpanElement) td.className = "long";
    tr.append(td);
  });
  return tr;
}

function backend(b) {
  const state = document.createElement("span");
  const up = b.state === "up" || b.state === "suspect";
  state.className = up ? "up" : "down";
  state.textContent = (up ? "● " : "✖ ") + b.state + (b.drained ? ", drained" : "") + (b.leaving ? ", leaving" : "") + (b.reason ? ": " + b.reason : "");
  return row(b.name, [b.name, b.address || "built in", state, b.links, b.owed, b.foreground, b.assigned]);
}

function wait(seconds) { return seconds === null ? "–" : "≤ " + (seconds < 1 ? seconds * 1000 + " ms" : seconds + " s"); }

function show(live) {
  const summary = document.getElementById("summary");
  const text = `Configuration ${live.configuration}: ${live.sessions} sessions, ${live.groups} groups of workers, ${live.foreground_jobs} foreground jobs`;
  summary.className = "";
  if (summary.textContent !== text) summary.textContent = text;
  let all = 0;
  const rows = live.functions.map(f => {
    const rate = former.has(f.name) ? Math.max(0, f.submitted - former.get(f.name)) : f.submitted * (former.size > 0 ? 1 : 0);
    all += rate;
    const rates = note("f:" + f.name, rate, 60);
    return row(f.name, [f.name, f.submitted, f.completed, f.failed, f.ready, f.running, `${f.active} active, ${f.asleep} asleep`, wait(f.wait_p50), wait(f.wait_p99), spark(rates)]);
  });
  former.set("", 0);
  live.functions.forEach(f => former.set(f.name, f.submitted));
  document.getElementById("functions").replaceChildren(...rows);
  document.getElementById("backends").replaceChildren(...live.backends.map(backend));
  document.getElementById("rate").textContent = all;
  document.querySelector("#plot polyline").setAttribute("points", points(note("all", all, 120), 120, 30));
  document.getElementById("events").replaceChildren(...live.events.toReversed().map(e => {
    const li = document.createElement("li");
    li.textContent = [new Date(e.at).toLocaleTimeString(), e.event, e.backend, e.peer, e.reason].filter(Boolean).join(" ");
    return li;
  }));
}

const source = new EventSource("api/v1/live");
source.onmessage = m => show(JSON.parse(m.data));
source.onerror = () => {
  const summary = document.getElementById("summary");
  summary.className = "lost";
  summary.textContent = "No connection to Geargate. What is below is old.";
};
