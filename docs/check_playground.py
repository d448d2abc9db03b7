"""Tries the playground of a built site in Chromium: python docs/check_playground.py build/docs [FOLDER]

Serves the site on 127.0.0.1, presses its buttons by chromedriver (Debian's chromium-driver) and compares what is shown
with what session.py answers here. Nothing may be loaded before "Start"; a download that fails, a browser without
WebAssembly and a run that takes too long must be answered. With a folder, pictures are left in it: wide and narrow,
light and dark.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS / "static" / "playground"))
import session  # noqa: E402

SECONDS = 180  # until Python is there; a busy machine takes its time
HEAVY = ("worker.js", "pyodide", "arrayops.whl", "session.py")
#: Takes half a minute in a browser.
LONG = {"text": "exp(sin(x)) + erf(cos(x)) + log1p(x)**0.3", "numbers": "range(9000000)", "typecode": "d"}
EXAMPLE = ("operation", "text", "numbers", "typecode", "result")


class Site(SimpleHTTPRequestHandler):
    """The site, with a list of what was asked for and a file that is not to be had."""

    asked: list[str] = []  # noqa: RUF012 - of the one server
    withheld = ""

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.withheld and self.withheld in self.path:
            self.send_error(404)
        else:
            super().do_GET()

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")  # what is withheld is not to come from a cache
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed."""


class Server(ThreadingHTTPServer):
    """One that has nothing to say of a page that goes away in the middle of a download."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The browser's end is not ours."""


@contextmanager
def served(site: Path) -> Iterator[str]:
    """The address of the site's page."""
    with Server(("127.0.0.1", 0), partial(Site, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/playground.html"
        server.shutdown()


class Browser:
    """A headless Chromium, by chromedriver."""

    def __init__(self, driver: str) -> None:
        self.driver = driver
        options = {"args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]}
        wanted = {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}
        self.session = f"/session/{self._send('POST', '/session', capabilities=wanted)['sessionId']}"

    def _send(self, method: str, path: str, **body: Any) -> Any:
        data = json.dumps(body).encode() if method == "POST" else None
        request = urllib.request.Request(self.driver + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=SECONDS) as response:
            return json.load(response)["value"]

    def run(self, script: str, *arguments: Any) -> Any:
        """What a function with this body returns in the page."""
        return self._send("POST", f"{self.session}/execute/sync", script=script, args=arguments)

    def tell(self, command: str, **parameters: Any) -> Any:
        """Of the DevTools protocol."""
        return self._send("POST", f"{self.session}/goog/cdp/execute", cmd=command, params=parameters)

    def open(self, address: str) -> None:
        """Loads a page."""
        self._send("POST", f"{self.session}/url", url=address)

    def close(self) -> None:
        """Ends Chromium."""
        self._send("DELETE", self.session)

    def press(self, selector: str) -> None:
        """A click on an element."""
        self.run("document.querySelector(arguments[0]).click()", selector)

    def part(self, name: str) -> str:
        """The text of a part of the playground, also of one that is not seen."""
        return str(self.run("return document.querySelector(`[data-part='${arguments[0]}']`).textContent", name))

    def wait(self, what: Callable[[], bool], name: str) -> None:
        """Until it is so."""
        end = time.monotonic() + SECONDS
        while not what():
            if time.monotonic() > end:
                raise AssertionError(f"{name}: not within {SECONDS} s; status: {self.part('status')!r}")
            time.sleep(0.1)

    def started(self) -> None:
        """Until the playground is ready and has answered once."""
        self.press("[data-action=start]")
        self.wait(lambda: "ready" in self.part("status"), "start")
        self.wait(self.idle, "the first answer")

    def idle(self) -> bool:
        """Whether a run can be begun."""
        return not self.run("return document.querySelector('#playground-app [type=submit]').disabled")


@contextmanager
def browser() -> Iterator[Browser]:
    """A Chromium that ends with the block."""
    with subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, text=True) as driver:
        try:
            assert driver.stdout is not None
            port = next(found[1] for line in driver.stdout if (found := re.search(r"successfully on port (\d+)", line)))
            one = Browser(f"http://127.0.0.1:{port}")
            try:
                yield one
            finally:
                one.close()
        finally:
            driver.terminate()


def try_examples(page: Browser) -> int:
    """Each shows what is answered here, but for the time and what depends on Python's version or the processor."""
    examples = page.run("return [...document.querySelectorAll('[data-operation]')].map(one => ({...one.dataset}))")
    for place, example in enumerate(examples):
        page.run("document.querySelectorAll('[data-operation]')[arguments[0]].click()", place)
        page.wait(page.idle, example["text"])
        request = {name: example.get(name, "") for name in EXAMPLE} | {"ieee": "ieee" in example}
        want = json.loads(session.answer(json.dumps(request)))
        for name in ("call", "result"):
            assert page.part(name) == want[name], (example, name, page.part(name), want[name])
        got = page.part("error")
        assert got.replace("float division", "division") == want["error"].replace("float division", "division"), got
        assert page.part("explained").splitlines()[:2] == want["explained"].splitlines()[:2], example
    return len(examples)


def try_stop(page: Browser) -> None:
    """A run that takes long is ended, and the next one works."""
    fill = """for (const [name, value] of Object.entries(arguments[0]))
        document.querySelector(`#playground-app [name=${name}]`).value = value"""
    page.run(fill, LONG)
    page.press("#playground-app [type=submit]")
    time.sleep(0.5)
    assert not page.idle() and not page.run("return document.querySelector('[data-action=stop]').hidden")
    page.press("[data-action=stop]")
    page.wait(page.idle, "a new start")
    page.run(fill, {"text": "x + 1", "numbers": "1 2", "typecode": ""})
    page.press("#playground-app [type=submit]")
    page.wait(lambda: page.part("result") == "array('q', [2, 3])", "after a stop")


def try_failures(page: Browser, address: str) -> None:
    """Downloads that fail, and a browser that cannot."""
    for withheld in ("arrayops.whl", "pyodide.asm.wasm", "pyodide.mjs", "worker.js"):
        page.open(address)
        Site.withheld = withheld
        page.press("[data-action=start]")
        page.wait(lambda: "did not work" in page.part("status"), f"without {withheld}")
        Site.withheld = ""
    page.started()  # "Try again"
    script = page.tell("Page.addScriptToEvaluateOnNewDocument", source="delete globalThis.WebAssembly")
    page.open(address)
    assert "no WebAssembly" in page.part("status"), page.part("status")
    page.tell("Page.removeScriptToEvaluateOnNewDocument", identifier=script["identifier"])


def try_widths(page: Browser, pictures: Path | None) -> None:
    """Nothing is wider than the window; pictures of all."""
    for width in (1300, 400):
        page.tell("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        for example, name in ((1, "table"), (6, "slip")):
            page.run("document.querySelectorAll('[data-operation]')[arguments[0]].click()", example)
            page.wait(page.idle, name)
            wide = page.run("return document.documentElement.scrollWidth")
            assert wide <= width, f"{wide} pixels in a window of {width}"
            for theme in ("light", "dark"):
                page.run("document.body.dataset.theme = arguments[0]", theme)
                if pictures:
                    shot = page.tell("Page.captureScreenshot", captureBeyondViewport=True)["data"]
                    (pictures / f"{name}-{width}-{theme}.png").write_bytes(base64.b64decode(shot))


def main() -> int:
    """Prints what was tried; an AssertionError says what is wrong."""
    site, pictures = Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None
    with served(site) as address, browser() as page:
        page.open(address)
        early = [path for path in Site.asked if any(name in path for name in HEAVY)]
        assert not early, f"loaded before the start: {early}"
        page.started()
        count = try_examples(page)
        try_widths(page, pictures)
        try_stop(page)
        try_failures(page, address)
    print(f"{count} examples, stopping, failing downloads, no WebAssembly, 400 pixels: fine")
    return 0


if __name__ == "__main__":
    sys.exit(main())
