"use strict";
// Theme: the system's, until the button says otherwise.
const root = document.documentElement;
const toggle = document.getElementById("theme");
const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
const label = () => { toggle.textContent = dark() ? "Light" : "Dark"; };
toggle.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; label(); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", label);
addEventListener("beforeprint", () => { root.dataset.before = root.dataset.theme || ""; root.dataset.theme = "light"; });
addEventListener("afterprint", () => { if (root.dataset.before) root.dataset.theme = root.dataset.before; else delete root.dataset.theme; });
label();

// Tables: a click on a heading sorts by it, numbers as numbers, empty cells last.
const key = (row, column) => { const cell = row.cells[column]; return cell ? cell.dataset.value ?? cell.textContent.trim() : ""; };
function sort(table, column, down) {
  const body = table.tBodies[0];
  const rows = Array.from(body.rows, (row) => ({ row, text: key(row, column) }));
  const numbers = rows.every((r) => r.text === "" || !Number.isNaN(Number(r.text)));
  rows.forEach((r) => { r.order = numbers ? Number(r.text) : r.text; });
  const compare = numbers ? (a, b) => a - b : (a, b) => a.localeCompare(b, "en", { numeric: true });
  rows.sort((a, b) => a.text === "" || b.text === "" ? (a.text === "") - (b.text === "") : (down ? -1 : 1) * compare(a.order, b.order));
  body.append(...rows.map((r) => r.row));
}
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = Array.from(table.tHead.rows[0].cells);
  heads.forEach((head, column) => head.querySelector("button")?.addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === "ascending";
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    sort(table, column, down);
  }));
}

// Filter: every word must be somewhere in the row.
for (const input of document.querySelectorAll("input[data-filters]")) {
  const table = document.getElementById(input.dataset.filters);
  const shown = document.getElementById(input.dataset.filters + "-shown");
  const rows = Array.from(table.tBodies[0].rows, (row) => ({ row, text: row.textContent.toLowerCase() }));
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const { row, text } of rows) { const fits = words.every((word) => text.includes(word)); row.hidden = !fits; count += fits; }
    shown.textContent = `${count} of ${rows.length} shown`;
  });
}

// Compare: what two chosen runs do not have in common.
const data = document.getElementById("runs-data");
if (data) {
  const runs = JSON.parse(data.textContent);
  const chosen = [];
  const place = document.getElementById("comparison");
  const element = (name, text) => { const made = document.createElement(name); if (text !== undefined) made.textContent = text; return made; };
  // A number in few digits; its cell has all of them as a title.
  const rounded = (text) => /^-?\d+(\.\d+)?(e[-+]?\d+)?$/i.test(text) && /[.e]/i.test(text) ? String(Number(Number(text).toPrecision(6))) : text;
  const show = () => {
    if (chosen.length < 2) { place.replaceChildren(element("p", "Choose two runs in the table to see what differs.")); return; }
    const [a, b] = chosen.map((box) => ({ name: box.value, values: runs[box.value] || {} }));
    const table = element("table"), head = table.createTHead().insertRow();
    for (const text of ["", a.name, b.name]) { const cell = element("th", text); cell.scope = "col"; head.append(cell); }
    const body = table.createTBody();
    for (const name of new Set([...Object.keys(a.values), ...Object.keys(b.values)])) {
      if (a.values[name] === b.values[name]) continue;
      const row = body.insertRow(), title = element("th", name);
      title.scope = "row"; row.append(title);
      const full = [a, b].map((run) => run.values[name] ?? "–"), few = full.map(rounded);
      full.forEach((text, side) => { const cell = element("td", few[0] === few[1] ? text : few[side]); cell.title = text; cell.className = "long"; row.append(cell); });
    }
    const scroll = element("div"); scroll.className = "scroll"; scroll.append(table);
    place.replaceChildren(body.rows.length ? scroll : element("p", "These two runs differ in nothing that is listed here."));
  };
  document.getElementById("runs").addEventListener("change", (event) => {
    const box = event.target;
    if (box.type !== "checkbox") return;
    if (box.checked) { chosen.push(box); if (chosen.length > 2) chosen.shift().checked = false; } else chosen.splice(chosen.indexOf(box), 1);
    show();
  });
  show();
}
