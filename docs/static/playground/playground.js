// The page of the playground: what is typed goes to worker.js, what Python answers is shown. Loads nothing before "Start".

const TYPECODES = [
  ["d", "doubles"], ["f", "single floats"], ["q", "64-bit ints"], ["Q", "unsigned"], ["i", "32-bit ints"], ["I", "unsigned"],
  ["h", "16-bit ints"], ["H", "unsigned"], ["b", "8-bit ints"], ["B", "bytes"],
];

function playground(root) {
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const button = (name) => root.querySelector(`[data-action="${name}"]`);
  const form = root.querySelector("form");
  const run = form.querySelector("[type=submit]");
  const fields = form.elements;
  let worker = null;
  let ready = false;
  let stopped = false;

  for (const name of ["typecode", "result"])
    for (const [code, meaning] of TYPECODES) fields[name].add(new Option(`'${code}': ${meaning}`, code));

  function say(text, failed = false) {
    part("status").textContent = text;
    part("status").classList.toggle("playground-failed", failed);
  }

  function busy(is) {
    run.disabled = is || !ready;
    button("stop").hidden = !(is && ready);
  }

  function end() {
    worker?.terminate();
    worker = null;
    ready = false;
    busy(false);
    button("start").disabled = false;
  }

  function fail(why) {
    end();
    button("start").textContent = "Try again";
    say(`That did not work. ${why}`, true);
  }

  function show(answer) {
    part("answer").hidden = false;
    for (const name of ["note", "error", "result", "call", "explained"]) part(name).textContent = answer[name];
    for (const name of ["call", "explained"]) part(`${name}-shown`).hidden = !answer[name];
  }

  const received = {
    stage: (text) => say(text),
    ready: (versions) => {
      ready = true;
      say(`${versions}: ready.`);
      busy(false);
      if (!stopped) ask();
      stopped = false;
    },
    failed: (why) => fail(`${why}. Is there a connection?`),
    ended: (why) => fail(`Python has ended: ${why}.`),
    answer: (text) => {
      busy(false);
      show(JSON.parse(text));
    },
  };

  function start() {
    button("start").disabled = true;
    say("Loading …");
    worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }) => Object.entries(data).forEach(([kind, value]) => received[kind](value));
    worker.onerror = (event) => fail(event.message || "A script could not be loaded.");
  }

  function ask() {
    busy(true);
    const names = ["operation", "text", "numbers", "typecode", "result"];
    const request = Object.fromEntries(names.map((name) => [name, fields[name].value]));
    worker.postMessage({ request: JSON.stringify({ ...request, ieee: fields.ieee.checked }) });
  }

  function example({ operation, text, numbers, typecode = "", result = "", ieee }) {
    Object.entries({ operation, text, numbers, typecode, result }).forEach(([name, value]) => (fields[name].value = value));
    fields.ieee.checked = ieee !== undefined;
    if (!run.disabled) ask();
  }

  button("start").onclick = start;
  button("stop").onclick = () => {
    end();
    stopped = true; // what was stopped is not begun again
    start(); // a new Python: of the old one nobody knows what it was at
    say("Stopped; loading Python again …");
  };
  form.onsubmit = (event) => {
    event.preventDefault();
    if (!run.disabled) ask();
  };
  form.onkeydown = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit(run);
  };
  for (const one of form.querySelectorAll("[data-operation]")) one.onclick = () => example(one.dataset);

  const lacking = { WebAssembly: "WebAssembly", Worker: "workers" };
  const without = Object.keys(lacking).find((name) => !(name in globalThis));
  if (without || location.protocol === "file:") {
    button("start").disabled = true;
    say(without ? `This browser has no ${lacking[without]}, which the playground needs.`
                : "The playground needs a web server; this page was opened as a file.", true);
  }
}

const root = document.getElementById("playground-app");
if (root) playground(root);
