"""Checks the built site: python docs/check_site.py build/docs

Words that people look for lead to a page, links between pages arrive, pictures say what they show, and nothing that the
tutorial printed names a folder of the machine that built it. Nothing is wider than a telephone: code and tables scroll,
by static/narrow.css, and no other word is long.
"""

from __future__ import annotations

import json
import sys
import tempfile
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: What people type, in lower case; the search has the stems of words.
WORDS = (
    "wav", "histogram", "roll", "argsort", "median", "checksum", "nan", "null", "overflow", "thread", "panda", "arrow",
    "numpi", "csv", "mask", "record", "pickl",
)  # fmt: skip


#: Characters of a word of running text that fit 400 pixels; what scrolls, or is broken anywhere.
LONGEST = 40
BREAKABLE = ("pre", "table", "code", "script", "style", "title", "dt", "a", "textarea")


class Page(HTMLParser):
    """The links, anchors, pictures and long words of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.silent: list[str] = []  # pictures without a word
        self.long: list[str] = []
        self.styles: list[str] = []
        self.inside: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Of every element."""
        found = dict(attrs)
        if found.get("id"):
            self.anchors.add(str(found["id"]))
        if tag == "a" and found.get("href"):
            self.links.append(str(found["href"]))
        if tag == "img" and not found.get("alt"):
            self.silent.append(str(found.get("src")))
        if tag == "link" and found.get("rel") == "stylesheet":
            self.styles.append(str(found.get("href")))
        if tag in BREAKABLE:
            self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Of every element that is closed."""
        if tag in self.inside:
            while self.inside.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        """Of all text between."""
        self.long += [] if self.inside else [word for word in data.split() if len(word) > LONGEST]


def words_not_found(site: Path) -> list[str]:
    """Those of WORDS that the search knows nothing of."""
    text = (site / "searchindex.js").read_text()
    index = json.loads(text[text.index("(") + 1 : text.rindex(")")])
    known = {*index["terms"], *index["titleterms"]}
    return [f"the search does not find {word!r}" for word in WORDS if not any(k.startswith(word) for k in known)]


def broken(site: Path) -> list[str]:
    """Links that lead nowhere, pictures without a description, what does not fit a telephone."""
    pages = {path: Page(path.read_text()) for path in sorted(site.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        found += [f"{path.name}: no description of {picture}" for picture in page.silent]
        found += [f"{path.name}: {word} does not fit 400 pixels" for word in page.long]
        found += [] if any("narrow.css" in style for style in page.styles) else [f"{path.name}: without narrow.css"]
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path.resolve()
            if not target.exists():
                found.append(f"{path.name}: {link} does not exist")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
                found.append(f"{path.name}: {link} has no such place")
    return found


def folders_named(site: Path) -> list[str]:
    """Pages with a path of this machine, as tracebacks and warnings of a notebook have them."""
    own = (str(Path.cwd()), sys.prefix, tempfile.gettempdir() + "/")
    return [
        f"{path.name}: names a folder of this machine"
        for path in sorted(site.rglob("*"))
        if path.suffix in (".html", ".ipynb") and any(folder in path.read_text() for folder in own)
    ]


def main() -> int:
    """Prints what is wrong; the exit status is 1 if something is."""
    site = Path(sys.argv[1]).resolve()
    wrong = [*words_not_found(site), *broken(site), *folders_named(site)]
    print("\n".join(wrong) or f"{len(WORDS)} words and the links of {len([*site.rglob('*.html')])} pages: fine")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
