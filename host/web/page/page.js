// Fields, files and buttons. What is judged, and how it is shown, is in the WebAssembly.
"use strict";

const at = (id) => document.getElementById(id);
const FIELDS = ["input", "trust", "keys", "lists"];
// A file that is no text, by field: its bytes do not fit into a text area.
const binary = new Map();
const MAX_FILE = 64 * 1024 * 1024;
let explanation = null;

function wrong(sentence) {
  at("status").className = "wrong";
  at("status").textContent = sentence;
}

const bytesOf = (id) => binary.get(id) ?? new TextEncoder().encode(at(id).value.trim());

// What was pasted is no example any more.
function changed(id) {
  binary.delete(id);
  if (id === "input") {
    at("example").value = "";
    at("about").hidden = true;
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

function show(example) {
  binary.clear();
  for (const id of [...FIELDS, "scheme", "audience"]) at(id).value = example?.[id] ?? "";
  at("moment").value = example ? new Date(example.now * 1000).toISOString().slice(0, 19) : "";
  at("about").textContent = example?.about ?? "";
  at("about").hidden = !example;
  explain();
}

function listen() {
  for (const id of [...FIELDS, "audience", "moment"])
    at(id).addEventListener("input", () => {
      changed(id);
      explain();
    });
  at("scheme").addEventListener("change", explain);
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
  at("example").addEventListener("change", (event) => show(EXAMPLES[event.target.value]));
  at("clear").addEventListener("click", () => {
    at("example").value = "";
    show(null);
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
