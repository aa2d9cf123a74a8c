// Fields, files and buttons. What is judged, and how it is shown, is in the WebAssembly.
"use strict";

const at = (id) => document.getElementById(id);
const FIELDS = ["input", "trust", "keys", "lists"];
const ASKED = [...FIELDS, "scheme", "audience", "moment"];
// A file that is no text, by field: its bytes do not fit into a text area.
const binary = new Map();
// What stood in each field that is as an example filled it.
const before = new Map();
const MAX_FILE = 64 * 1024 * 1024;
let explanation = null;

function wrong(sentence) {
  at("status").className = "wrong";
  at("status").textContent = sentence;
}

const bytesOf = (id) => binary.get(id) ?? new TextEncoder().encode(at(id).value.trim());

function put(id, value, bytes) {
  at(id).value = value;
  if (bytes) binary.set(id, bytes);
  else binary.delete(id);
}

// What is changed is the user's own. An example's input that is changed is no example any more: nothing else of it judges
// what was pasted.
function changed(id) {
  binary.delete(id);
  before.delete(id);
  if (id === "input") choose("");
}

// An example, or none: what another one brought goes, and what stood there comes back.
function choose(position) {
  before.forEach(({ value, bytes }, id) => put(id, value, bytes));
  before.clear();
  const example = EXAMPLES[position];
  at("example").value = position;
  at("about").textContent = example?.about ?? "";
  at("about").hidden = !example;
  if (!example) return;
  const moment = new Date(example.now * 1000).toISOString().slice(0, 19);
  for (const id of ASKED) {
    before.set(id, { value: at(id).value, bytes: binary.get(id) });
    put(id, { ...example, moment }[id] ?? "");
  }
}

// A PEM, JSON or token is shown; DER is named.
async function take(id, file) {
  if (file.size > MAX_FILE) return wrong(`${file.name} is larger than any list of revoked certificates`);
  const bytes = new Uint8Array(await file.arrayBuffer());
  const area = at(id);
  changed(id);
  try {
    area.value = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    area.value = `${file.name} (${bytes.length} bytes)`;
    binary.set(id, bytes);
  }
  explain();
}

// Each field, and what the question is told of it.
function question() {
  const moment = at("moment").value;
  const now = moment ? Date.parse(`${moment}Z`) : Date.now();
  const question = new wasm_bindgen.Question(BigInt(Math.floor(now / 1000)));
  const tell = (id, value) => {
    try {
      question[id](value);
    } catch (reason) {
      throw `${document.querySelector(`label[for=${id}]`).textContent}: ${reason}`;
    }
  };
  for (const id of ["scheme", "audience"]) if (at(id).value.trim()) tell(id, at(id).value.trim());
  for (const id of FIELDS.slice(1)) if (bytesOf(id).length) tell(id, bytesOf(id));
  return question;
}

function explain() {
  const input = bytesOf("input");
  const status = at("status");
  explanation = null;
  let error = "";
  try {
    const asked = question();
    explanation = input.length ? asked.explain(input) : null;
  } catch (reason) {
    error = String(reason);
  }
  // The WebAssembly escapes what comes from the input.
  at("report").innerHTML = explanation?.fragment() ?? "";
  at("save").hidden = !explanation;
  status.className = error ? "wrong" : explanation ? "heard" : "";
  status.textContent = error || (explanation ? `Result: ${explanation.headline()}.` : "Nothing to explain yet.");
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
      if (picker.files[0]) take(picker.dataset.for, picker.files[0]);
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
      if (data.files[0]) return take(id, data.files[0]);
      changed(id);
      at(id).value = data.getData("text");
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
