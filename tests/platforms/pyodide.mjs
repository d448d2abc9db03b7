// node pyodide.mjs PYODIDE WHEEL SCRIPT [ARGUMENT ...]: installs a wheel as the playground's worker does and runs a script.
// All that a module of WebAssembly in the wheel imports must be there: a function that is not would only fail when called.

import { readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, wheel, script, ...rest] = process.argv.slice(2).map((path) => resolve(path));
const { loadPyodide } = await import(pathToFileURL(`${folder}/pyodide.mjs`));
const pyodide = await loadPyodide({ indexURL: folder });
pyodide.unpackArchive(new Uint8Array(readFileSync(wheel)), "wheel");

const find = "import arrayops, glob; glob.glob(arrayops.__path__[0] + '/_machine*')[0]";
const code = new WebAssembly.Module(pyodide.FS.readFile(pyodide.runPython(find)));
const given = new Set(["__stack_pointer", "__memory_base", "__table_base", "memory", "__indirect_function_table"]);
const own = new Set(WebAssembly.Module.exports(code).map((item) => item.name));
const there = (name) => given.has(name) || own.has(name) || pyodide._module.resolveGlobalSymbol(name).sym;
const absent = WebAssembly.Module.imports(code).filter((item) => !there(item.name));
if (absent.length) throw new Error(`not there: ${absent.map((item) => item.name).join(", ")}`);

const copies = [script, ...rest].map((path) => {
  pyodide.FS.writeFile(`/${basename(path)}`, readFileSync(path));
  return `/${basename(path)}`;
});
pyodide.globals.set("copies", pyodide.toPy(copies));
pyodide.runPython("import sys, runpy; sys.argv[:] = copies; runpy.run_path(copies[0], run_name='__main__')");
