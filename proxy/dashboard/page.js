"use strict";
// The page shows what /api/v1/live sends once a second. All of it is put in as
// text: names come from whoever connects. Rows are kept from one second to the
// next, so that the focus stays where it is.

const at = id => document.getElementById(id);
let access = {commands: false, reason: ""};

// --- words

const number = n => n === 0 || n >= 10 ? Math.round(n).toLocaleString() : n.toFixed(1).replace(/\.0$/, "");

function duration(seconds) {
  if (seconds < 1) return Math.max(0, Math.round(seconds * 1000)) + " ms";
  if (seconds < 120) return Math.round(seconds) + " s";
  if (seconds < 7200) return Math.round(seconds / 60) + " min";
  return seconds < 172800 ? Math.round(seconds / 3600) + " h" : Math.round(seconds / 86400) + " d";
}

const atMost = seconds => seconds === null ? "–" : "≤ " + duration(seconds);

const since = (live, peer) => duration(Math.max(0, Math.round((Date.parse(live.at) - Date.parse(peer.since)) / 1000)));

// --- elements

function put(node, text) {
  text = String(text);
  if (node.textContent !== text) node.textContent = text;
}

// name returns an element for a text of strangers: it cannot turn around the
// direction of what is beside it.
function name(text) {
  const bdi = document.createElement("bdi");
  bdi.textContent = text;
  return bdi;
}

// fill gives a table one row for each item, in their order. A row that is there
// for a key stays. show is given its cells, and makes them what they should be.
function fill(body, items, key, columns, show) {
  const rows = new Map([...body.children].map(tr => [tr.dataset.key, tr]));
  items.forEach((item, i) => {
    const k = String(key(item));
    let tr = rows.get(k);
    rows.delete(k);
    if (!tr) {
      tr = document.createElement("tr");
      tr.dataset.key = k;
      columns.forEach((kind, c) => {
        const cell = tr.appendChild(document.createElement(c === 0 ? "th" : "td"));
        if (c === 0) cell.scope = "row";
        if (kind) cell.className = kind;
      });
    }
    if (body.children[i] !== tr) body.insertBefore(tr, body.children[i] ?? null);
    show([...tr.children], item, tr);
  });
  for (const tr of rows.values()) tr.remove();
}

// named puts a stranger's text into a cell.
function named(cell, text) {
  if (cell.firstChild?.textContent !== text) cell.replaceChildren(name(text));
}

// --- the parts of the page

function showBackend(live) {
  return ([title, state, command, queued, running, taken, done, here, links, owed, address], b, tr) => {
    tr.dataset.name = b.name;
    named(title, b.name);
    const up = b.state === "up";
    state.className = up ? "long up" : b.state === "suspect" ? "long unsure" : "long down";
    put(state, (up ? "● " : b.state === "suspect" ? "◐ " : "✖ ") + b.state + (b.leaving ? ", leaving" : "") + (b.reason ? ": " + b.reason : ""));
    showCommand(command, b);
    put(queued, b.queues ? number(b.queues.queued) : "?");
    put(running, b.queues ? number(b.queues.running) : "?");
    const rate = rates.get(b.name);
    put(taken, rate ? number(rate.submitted) : "–");
    put(done, rate ? number(rate.done) : "–");
    put(here, number(b.foreground + b.assigned));
    put(links, b.links);
    put(owed, b.owed);
    put(address, b.address || "built in");
  };
}

// showCommand shows whether a backend gets new jobs, and the button for it.
function showCommand(cell, b) {
  let button = cell.querySelector("button");
  if (!button) {
    button = document.createElement("button");
    button.type = "button";
    button.addEventListener("click", () => press(button));
    cell.replaceChildren(document.createElement("span"), " ", button);
  }
  put(cell.firstChild, b.drained ? "drained" : b.leaving ? "none" : "taken");
  cell.className = b.drained ? "unsure" : "";
  button.dataset.backend = b.name;
  button.dataset.verb = b.drained ? "undrain" : "drain";
  put(button, b.drained ? "Undrain" : "Drain");
  button.setAttribute("aria-label", `${button.textContent} ${b.name}`);
  button.disabled = !access.commands || b.leaving;
}

// press sends the command of a button. The next state shows what came of it.
async function press(button) {
  const {backend, verb} = button.dataset;
  try {
    const response = await fetch(`api/v1/${verb}?backend=${encodeURIComponent(backend)}`, {method: "POST"});
    if (response.status === 401) return askToken();
    const body = await response.json();
    put(at("outcome"), response.ok ? `${backend} ${verb === "drain" ? "gets no new jobs" : "gets new jobs"}.` : `${verb} of ${backend} was refused: ${body.error}`);
  } catch (e) {
    put(at("outcome"), `${verb} of ${backend} failed: ${e.message}`);
  }
}

function showFunction([title, queued, running, workers, half, most, last, submitted, completed, failed], f, tr) {
  tr.dataset.name = f.name;
  named(title, f.name);
  put(queued, number(f.queued + f.ready));
  put(running, number(f.running));
  put(workers, f.asleep === 0 ? number(f.active) : `${number(f.active)} + ${number(f.asleep)} asleep`);
  const one = past("f:" + f.name);
  const minute = total(one.waits);
  put(half, atMost(within(minute, 0.5) ?? f.wait_p50));
  put(most, atMost(within(minute, 0.99) ?? f.wait_p99));
  const svg = last.firstChild ?? last.appendChild(sparkline());
  draw(svg, 59, 16, Math.max(1, ...one.submitted), [one.submitted]);
  svg.setAttribute("aria-label", `${number(one.submitted.at(-1))} a second now, ${number(Math.max(...one.submitted))} at most`);
  put(submitted, number(f.submitted));
  put(completed, number(f.completed));
  put(failed, number(f.failed));
}

const doing = {running: "●", awake: "○", asleep: "☾"};

function showWorker(live) {
  return ([address, does, time, job, can, id], w) => {
    named(address, w.address);
    does.className = w.state === "running" ? "long up" : "long";
    const text = `${doing[w.state]} ${w.function || w.state}${w.jobs > 1 ? ` and ${w.jobs - 1} more` : ""}`;
    named(does, text);
    put(time, since(live, w));
    named(job, w.handle);
    named(can, w.names.join(", ") + (w.functions > w.names.length ? ` and ${w.functions - w.names.length} more` : ""));
    named(id, w.id);
  };
}

function showClient(live) {
  return ([address, waits, time, job, id], c) => {
    named(address, c.address);
    named(waits, c.jobs === 0 ? "nothing" : c.function + (c.jobs > 1 ? ` and ${number(c.jobs - 1)} more jobs` : ""));
    put(time, since(live, c));
    named(job, c.handle);
    named(id, c.id);
  };
}

function showCount(id, list, busy, word) {
  const more = list.total - list.listed.length;
  put(at(id), `${number(busy)} of ${number(list.total)} ${word}${more > 0 ? `, ${number(more)} are not listed` : ""}`);
}

// showEvents adds what is new on top, which is all that a screen reader tells.
function showEvents(events) {
  const list = at("events");
  const key = e => [e.at, e.event, e.backend, e.peer, e.reason].join(" ");
  const latest = list.firstChild?.dataset.key;
  const fresh = events.slice(events.findLastIndex(e => key(e) === latest) + 1);
  for (const e of fresh) {
    const li = document.createElement("li");
    li.dataset.key = key(e);
    const time = document.createElement("time");
    time.dateTime = e.at;
    time.textContent = new Date(e.at).toLocaleTimeString();
    li.append(time, " ", name([e.event, e.backend, e.peer, e.reason].filter(Boolean).join(" ")));
    list.prepend(li);
  }
  while (list.children.length > 30) list.lastChild.remove();
}

// height places a wait between 1 ms and the last bound: each ten times as long
// as the one before are as far apart.
const height = seconds => seconds === null ? null : Math.log10(seconds / bounds[0]) + 0.3;

function showPlots() {
  const all = past("");
  const most = ceiling(Math.max(...all.submitted, ...all.completed));
  draw(at("throughput"), 119, 40, most, [all.submitted, all.completed]);
  put(at("throughput-top"), number(most) + "/s");
  const longest = Math.max(1, ...all.most.filter(s => s !== null).map(height));
  draw(at("latency"), 119, 40, longest, [all.half.map(height), all.most.map(height)]);
  const top = all.most.reduce((a, b) => Math.max(a, b ?? 0), 0);
  put(at("latency-top"), top === 0 ? "no jobs" : atMost(top));
}

function show(live) {
  bounds = live.bounds;
  remember(live);
  const all = past("");
  put(at("summary"), `Configuration ${live.configuration}: ${number(live.sessions)} sessions, ${number(live.groups)} groups of workers, ${number(live.foreground_jobs)} foreground jobs` +
    (live.spool ? `, ${number(live.spool.jobs)} jobs in the spool` : "") + (live.store_trouble ? `. Background jobs are refused: ${live.store_trouble}` : ""));
  put(at("submitted"), number(all.submitted.at(-1)) + "/s");
  put(at("completed"), number(all.completed.at(-1)) + "/s");
  put(at("queued"), number(sum(live.functions.map(f => f.queued + f.ready))));
  put(at("running"), number(sum(live.functions.map(f => f.running))));
  put(at("busy"), `${number(live.workers.running)} / ${number(live.workers.total)}`);
  put(at("waiting"), `${number(live.clients.waiting)} / ${number(live.clients.total)}`);
  showPlots();
  fill(at("backends"), live.backends, b => b.name, ["", "long", "", "number", "number", "number", "number", "number minor", "number minor", "number minor", "minor"], showBackend(live));
  fill(at("functions"), live.functions, f => f.name, ["long", "number", "number", "number", "number", "number", "", "number minor", "number minor", "number minor"], showFunction);
  fill(at("workers"), live.workers.listed, w => w.session, ["", "long", "number", "minor", "long minor", "minor"], showWorker(live));
  fill(at("clients"), live.clients.listed, c => c.session, ["", "long", "number", "minor", "minor"], showClient(live));
  showCount("workers-count", live.workers, live.workers.running, "busy");
  showCount("clients-count", live.clients, live.clients.waiting, "waiting");
  showEvents(live.events);
}

// --- signing in

// askToken shows the box for the token above the page, which goes nowhere: what
// it has shown stays, and what has the focus has it again when the box is gone.
function askToken() {
  lost("Not signed in. Reload the page to do so.");
  if (!at("signin").open) at("signin").showModal();
}

at("signin").addEventListener("submit", async event => {
  event.preventDefault();
  try {
    const response = await fetch("login", {method: "POST", body: new URLSearchParams(new FormData(event.target))});
    put(at("wrong"), response.ok ? "" : "That was not the token.");
    if (!response.ok) return at("token").select();
    event.target.reset();
    at("signin").close();
    look();
  } catch (e) {
    put(at("wrong"), `No answer: ${e.message}`);
  }
});

// --- the connection

let source = null; // of states; null at first

function lost(why) {
  at("connection").className = "lost";
  put(at("connection"), why);
}

// look asks what may be done here, and listens.
async function look() {
  try {
    const response = await fetch("api/v1/access");
    if (response.status === 401) return askToken();
    access = await response.json();
    if (!response.ok) return lost(access.error);
  } catch {
    lost("No connection to Geargate. What is below is old.");
    return setTimeout(look, 2000);
  }
  put(at("commands"), access.commands ? "" : `Buttons are off: ${access.reason}.`);
  source?.close();
  source = new EventSource("api/v1/live");
  source.onmessage = m => {
    at("connection").className = "";
    put(at("connection"), "Live.");
    show(JSON.parse(m.data));
  };
  source.onerror = () => {
    source.close();
    lost("No connection to Geargate. What is below is old.");
    setTimeout(look, 2000);
  };
}

look();
