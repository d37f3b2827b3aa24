"use strict";
// What came before the state of now, and what follows from both: the browser
// keeps it, as a state says only what is and what was counted since the start.

let bounds = []; // of the buckets of waits, in seconds
let before = null; // the state a second ago
const rates = new Map(); // of each backend, in jobs per second; none where it has only now come

// By name, that of a function behind "f:"; "" is for all functions together.
const history = new Map();

function past(name) {
  if (!history.has(name)) history.set(name, {submitted: [], completed: [], waits: [], half: [], most: []});
  return history.get(name);
}

function note(list, value, most) {
  list.push(value);
  if (list.length > most) list.shift();
}

const minus = (a, b) => a.map((n, i) => Math.max(0, n - (b ? b[i] : 0)));
const sum = list => list.reduce((a, b) => a + b, 0);
const total = lists => lists.length === 0 ? [] : lists.reduce((a, b) => a.map((n, i) => n + b[i]));

// within returns the bound that a share of what is in buckets took at most, or
// null where there is nothing. What took longer than every bound is taken for
// the last.
function within(buckets, share) {
  const all = sum(buckets);
  if (all === 0) return null;
  let below = 0;
  for (let i = 0; i < bounds.length; i++) {
    below += buckets[i];
    if (below >= all * share) return bounds[i];
  }
  return bounds.at(-1);
}

// remember takes a state into the history.
function remember(live) {
  const seconds = before ? Math.max(0.1, (Date.parse(live.at) - Date.parse(before.at)) / 1000) : 1;
  const was = new Map((before ? before.functions : []).map(f => [f.name, f]));
  const all = {submitted: 0, completed: 0, waits: bounds.map(() => 0).concat(0)};
  for (const f of live.functions) {
    const old = before ? was.get(f.name) : f; // what came before the first state has no time
    const one = past("f:" + f.name);
    const submitted = Math.max(0, f.submitted - (old ? old.submitted : 0)) / seconds;
    const waits = minus(f.wait.buckets, old && old.wait.buckets);
    note(one.submitted, submitted, 60);
    note(one.waits, waits, 60);
    all.submitted += submitted;
    all.completed += Math.max(0, f.completed - (old ? old.completed : 0)) / seconds;
    all.waits = total([all.waits, waits]);
  }
  const kept = new Set(live.functions.map(f => "f:" + f.name));
  for (const name of history.keys()) if (name !== "" && !kept.has(name)) history.delete(name);
  const every = past("");
  note(every.submitted, all.submitted, 120);
  note(every.completed, all.completed, 120);
  note(every.waits, all.waits, 10);
  note(every.half, within(total(every.waits), 0.5), 120);
  note(every.most, within(total(every.waits), 0.99), 120);
  rate(live.backends, seconds);
  before = live;
}

// rate takes in how many jobs a second backends were sent, and how many of
// their jobs workers here ended.
function rate(backends, seconds) {
  rates.clear();
  const was = new Map((before ? before.backends : []).map(b => [b.name, b]));
  for (const b of backends) {
    const old = was.get(b.name);
    if (!old) continue;
    const since = (now, then) => Math.max(0, now - then) / seconds;
    rates.set(b.name, {submitted: since(b.submitted, old.submitted), done: since(b.completed + b.failed, old.completed + old.failed)});
  }
}
