// Fields, files and buttons. What is judged, and how it is shown, is in the WebAssembly.
"use strict";

const at = (id) => document.getElementById(id);
const FIELDS = ["input", "trust", "keys", "lists", "own"];
const MAX_SHOWN = 1 << 20;
const ASKED = [...FIELDS, "scheme", "audience", "moment"];
// The bytes of the files that were opened or dropped, by field: those of a file that is no text do not fit into a text area.
const files = new Map();
// What stood in each field that is as an example filled it.
const before = new Map();
// Which foldings of the last report are open.
let unfolded = [];
// Counts what happened to each field: a file that was read meanwhile is no longer wanted.
const changes = new Map();
let explanation = null;

const count = (id) => changes.set(id, (changes.get(id) ?? 0) + 1).get(id);

// A report about something else does not stand below what went wrong.
function show(asked, sentence, kind) {
  explanation = asked;
  const folds = () => [...at("report").querySelectorAll("details")];
  if (folds().length) unfolded = folds().map((fold) => fold.open);
  // The WebAssembly escapes what comes from the input.
  at("report").innerHTML = asked?.fragment() ?? "";
  folds().forEach((fold, place) => (fold.open = unfolded[place] ?? false));
  at("save").hidden = !asked;
  at("status").className = kind;
  at("status").textContent = sentence;
}

const wrong = (sentence) => show(null, sentence, "wrong");

const given = (id) => files.get(id) ?? (at(id).value.trim() ? [new TextEncoder().encode(at(id).value)] : []);

function put(id, value, bytes) {
  count(id);
  at(id).value = value;
  if (bytes) files.set(id, bytes);
  else files.delete(id);
}

// What is changed is the user's own. An example's input that is changed is no example any more: nothing else of it judges
// what was pasted.
function changed(id) {
  count(id);
  files.delete(id);
  before.delete(id);
  if (id === "input") choose("");
  const example = at("example").value;
  if (example) at("example").selectedOptions[0].text = `${EXAMPLES[example].title} (changed)`;
}

// An example, or none: what another one brought goes, and what stood there comes back.
function choose(position) {
  before.forEach(({ value, bytes }, id) => put(id, value, bytes));
  before.clear();
  const example = EXAMPLES[position];
  EXAMPLES.forEach(({ title }, place) => (at("example").options[place + 1].text = title));
  at("example").value = position;
  at("about").textContent = example?.about ?? "";
  at("about").hidden = !example;
  if (!example) return;
  const moment = new Date(example.now * 1000).toISOString().slice(0, 19);
  for (const id of ASKED) {
    before.set(id, { value: at(id).value, bytes: files.get(id) });
    put(id, { ...example, moment }[id] ?? "");
  }
}

// PEM, JSON or a token is shown; DER is named, and so is what is too long for a text area.
async function take(id, list) {
  const large = list.find((file) => file.size > wasm_bindgen.max_file());
  if (large) return wrong(`${large.name} is larger than any list of revoked certificates`);
  const begun = count(id);
  const read = await Promise.all(list.map((file) => file.arrayBuffer())).catch(() => null);
  if (begun !== changes.get(id)) return;
  if (!read) return wrong("A file cannot be read. Is it a folder, or gone?");
  const bytes = read.map((buffer) => new Uint8Array(buffer));
  const empty = bytes.findIndex((bytes) => !bytes.length);
  if (empty >= 0) return wrong(`${list[empty].name} is empty`);
  changed(id);
  const texts = bytes.map((bytes, position) => {
    const named = `${list[position].name} (${bytes.length} bytes)`;
    if (bytes.length > MAX_SHOWN) return named;
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      return named;
    }
  });
  put(id, texts.join("\n"), bytes);
  explain();
}

// Each field, and what the question is told of it.
function question() {
  const moment = at("moment").value;
  const now = moment ? Date.parse(`${moment}Z`) : Date.now();
  if (at("moment").validity.badInput || !(now >= 0)) throw "Moment, in UTC: a date from 1970 on and a time are needed";
  const question = new wasm_bindgen.Question(BigInt(Math.floor(now / 1000)));
  const tell = (id, value) => {
    try {
      question[id](value);
    } catch (reason) {
      throw `${document.querySelector(`label[for=${id}]`).textContent}: ${reason}`;
    }
  };
  for (const id of ["scheme", "audience"]) if (at(id).value.trim()) tell(id, at(id).value.trim());
  for (const id of FIELDS) for (const bytes of given(id)) tell(id, bytes);
  return question;
}

function explain() {
  try {
    const asked = question();
    if (!given("input").length) return show(null, "Nothing to explain yet.", "");
    const result = asked.explain();
    show(result, `Result: ${result.headline()}.`, "heard");
  } catch (reason) {
    wrong(String(reason));
  }
}

function save(text, type, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function listen() {
  for (const id of ASKED)
    at(id).addEventListener("input", () => {
      changed(id);
      explain();
    });
  for (const picker of document.querySelectorAll("input[type=file]"))
    picker.addEventListener("change", () => {
      if (picker.files.length) take(picker.dataset.for, [...picker.files]);
      picker.value = "";
    });
  for (const field of document.querySelectorAll("[data-drop]")) {
    const over = (is) => (event) => {
      event.preventDefault();
      field.classList.toggle("over", is);
    };
    field.addEventListener("dragover", over(true));
    field.addEventListener("dragleave", over(false));
    field.addEventListener("drop", (event) => {
      over(false)(event);
      const [id, data] = [field.querySelector("textarea").id, event.dataTransfer];
      if (data.files.length) return take(id, [...data.files]);
      const text = data.getData("text");
      if (!text) return wrong("What was dropped has neither a file nor text");
      changed(id);
      at(id).value = text;
      explain();
    });
  }
  // A file that misses a field does not replace the page.
  for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault());
  at("question").addEventListener("submit", (event) => event.preventDefault());
  at("example").addEventListener("change", (event) => {
    choose(event.target.value);
    explain();
  });
  at("clear").addEventListener("click", () => {
    choose("");
    for (const id of ASKED) put(id, "");
    explain();
    at("input").focus();
  });
  at("save-html").addEventListener("click", () => save(explanation.document(), "text/html", "privyseal-report.html"));
  at("save-json").addEventListener("click", () => save(explanation.json(), "application/json", "privyseal-report.json"));
}

(async () => {
  const bytes = Uint8Array.from(atob(WASM), (character) => character.charCodeAt(0));
  await wasm_bindgen({ module_or_path: bytes });
  for (const line of wasm_bindgen.schemes().split("\n")) {
    const [name, title] = line.split("\t");
    at("scheme").add(new Option(title, name));
  }
  EXAMPLES.forEach((example, position) => at("example").add(new Option(example.title, position)));
  listen();
  explain();
})().catch((reason) => wrong(`This browser cannot judge: ${reason}`));
