// Python and arrayops, apart from the page, so that it stays alive while they work, and can end them.
// Messages in: {request}, JSON for session.py. Out: {stage}, then {ready} or {failed}; for each request {answer}, JSON,
// or {ended}.

// Where Pyodide is: its files beside this one. A CDN's folder of the same version would do as well.
const PYODIDE = new URL("pyodide/", import.meta.url).href;

const words = (error) => String(error?.message ?? error);

// Pyodide waits for ever for WebAssembly that cannot be loaded, so what it fetches is watched.
const plainFetch = fetch;
self.fetch = async (address, ...more) => {
  try {
    const response = await plainFetch(address, ...more);
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    return response;
  } catch (error) {
    postMessage({ failed: `${String(address.url ?? address).split("/").pop()}: ${words(error)}` });
    throw error;
  }
};

async function start() {
  postMessage({ stage: "Loading Python …" });
  const { loadPyodide } = await import(`${PYODIDE}pyodide.mjs`);
  const pyodide = await loadPyodide({ indexURL: PYODIDE });
  postMessage({ stage: "Loading arrayops …" });
  const beside = (name) => fetch(new URL(name, import.meta.url), { cache: "no-cache" }); // both of one version
  const [wheel, session] = await Promise.all([beside("arrayops.whl"), beside("session.py")]);
  pyodide.unpackArchive(await wheel.arrayBuffer(), "wheel");
  pyodide.FS.writeFile("session.py", await session.text());
  const answer = pyodide.pyimport("session").answer;
  const versions = pyodide.runPython(
    "import sys, arrayops; f'arrayops {arrayops.__version__}, Python {sys.version.split()[0]}'",
  );
  return { answer, versions };
}

const started = start();
started.then(({ versions }) => postMessage({ ready: versions }), (error) => postMessage({ failed: words(error) }));

onmessage = async ({ data }) => {
  const { answer } = await started;
  try {
    postMessage({ answer: answer(data.request) });
  } catch (error) { // Python itself has ended, out of memory for instance
    postMessage({ ended: words(error) });
  }
};
