// The graph of the page: folded scopes open when clicked, the wheel zooms, dragging moves, a click on an operation tells
// about it. Pictures and texts come from the JSON in the page; texts go in as text, never as HTML.
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const stage = document.getElementById("stage"), details = document.getElementById("details");
const trail = document.getElementById("path");
let view = null, moved = false;

function show(path) {
  stage.innerHTML = data.levels[path].svg;          // made and escaped by graphc
  const svg = stage.firstChild, box = {width: svg.viewBox.baseVal.width, height: svg.viewBox.baseVal.height};
  svg.removeAttribute("style");
  const at = stage.getBoundingClientRect();
  // Units a pixel: all of it if it stays readable, else its top; a small one is not blown up.
  const scale = Math.max(0.8, box.width / at.width, Math.min(box.height / at.height, 1.5));
  view = {x: (box.width - at.width * scale) / 2, y: 0, w: at.width * scale, h: at.height * scale};
  apply();
  trail.textContent = "";
  for (const part of data.levels[path].trail) {
    if (trail.firstChild) trail.append(" / ");
    const button = document.createElement("button");
    button.textContent = data.levels[part].title;
    button.onclick = () => show(part);
    trail.append(button);
  }
}

function apply() {
  stage.firstChild.setAttribute("viewBox", `${view.x} ${view.y} ${view.w} ${view.h}`);
}

function row(table, name, text) {
  const line = table.insertRow();
  line.insertCell().textContent = name;
  line.insertCell().textContent = text;
}

function tell(name) {
  const node = data.nodes[name];
  details.textContent = "";
  const title = document.createElement("h3"), table = document.createElement("table");
  title.textContent = name;
  row(table, "type", node.type);
  node.inputs.forEach((text) => row(table, "input", text));
  node.results.forEach((text) => row(table, "output", text));
  for (const key of Object.keys(node.details)) row(table, key, node.details[key]);
  details.append(title, table);
  const home = node.home;
  if (home && !stage.querySelector(`g[data-kind="operation"][data-key="${CSS.escape(name)}"]`)) {
    const button = document.createElement("button");
    button.textContent = "go there";
    button.onclick = () => { show(home); choose(name); };
    details.append(button);
  }
  choose(name);
}

function choose(name) {
  for (const box of stage.querySelectorAll("g[data-key]")) box.classList.toggle("chosen", box.dataset.key === name);
}

stage.addEventListener("click", (event) => {
  const box = event.target.closest("g[data-key]");
  if (!box || moved) return;
  const key = box.dataset.key, isNode = box.dataset.kind !== "scope" && key in data.nodes;
  if (isNode) tell(key); else show(key);
});
stage.addEventListener("wheel", (event) => {
  event.preventDefault();
  const factor = Math.exp(event.deltaY / 500), at = stage.getBoundingClientRect();
  const x = view.x + (event.clientX - at.left) * view.w / at.width;
  const y = view.y + (event.clientY - at.top) * view.w / at.width;
  view.x = x + (view.x - x) * factor; view.y = y + (view.y - y) * factor;
  view.w *= factor; view.h *= factor;
  apply();
}, {passive: false});
stage.addEventListener("pointerdown", (event) => {
  const from = {x: event.clientX, y: event.clientY, vx: view.x, vy: view.y}, at = stage.getBoundingClientRect();
  const scale = view.w / at.width;
  moved = false;
  const move = (to) => {
    if (Math.hypot(to.clientX - from.x, to.clientY - from.y) > 4) { moved = true; stage.classList.add("moving"); }
    if (moved) { view.x = from.vx - (to.clientX - from.x) * scale; view.y = from.vy - (to.clientY - from.y) * scale; apply(); }
  };
  const end = () => { removeEventListener("pointermove", move); stage.classList.remove("moving"); };
  addEventListener("pointermove", move);
  addEventListener("pointerup", end, {once: true});
});
show("");
const wanted = decodeURIComponent(location.hash.slice(1));           // model.html#scope/operation
if (data.nodes[wanted] && data.nodes[wanted].home !== null) { show(data.nodes[wanted].home); tell(wanted); }
else if (data.levels[wanted]) show(wanted);
