"""Check the built pages: every internal link leads somewhere, nothing comes from afar.

    python docs/check_links.py docs/_build/html

Links within a page and to other pages need their file and their anchor, images, styles
and scripts their file; and none of these may be loaded from another host.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """Anchors of a page, what it links to, and what it loads."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.anchors = {"", "top"}
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        # Other <link>s (canonical, next, ...) name pages and load nothing.
        if tag == "link" and values.get("rel") in ("stylesheet", "icon", "preload"):
            self.loads.append(values["href"])
        if tag in ("img", "script", "iframe", "source", "object"):
            self.loads += [values[n] for n in ("src", "data") if n in values]
            sources = values.get("srcset", "").split(",")
            self.loads += [source.split()[0] for source in sources if source.strip()]


def broken(folder: Path) -> list[str]:
    """What is wrong with the pages of a folder, one line a fault."""
    pages = {
        path.resolve(): Page(path.read_text("utf-8"))
        for path in sorted(folder.rglob("*.html"))
        if "_static" not in path.relative_to(folder).parts
    }
    faults = []
    for path, page in pages.items():
        for link in page.links + page.loads:
            fault = problem(link, path, pages, loaded=link in page.loads)
            if fault:
                faults.append(f"{path.relative_to(folder.resolve())}: {link}: {fault}")
    return faults


def problem(
    link: str, source: Path, pages: dict[Path, Page], *, loaded: bool
) -> str | None:
    """Why a link does not work, if it does not."""
    url = urlsplit(link)
    if url.scheme == "data":
        return None
    if url.scheme or url.netloc:
        return "is loaded from another host" if loaded else None
    target = source
    if url.path:
        target = (source.parent / unquote(url.path)).resolve()
    if target not in pages:
        return None if target.is_file() else "no such file"
    anchor = unquote(url.fragment)
    return None if anchor in pages[target].anchors else "no such anchor"


def main(folder: str) -> int:
    """Print the faults; the exit status tells whether there are any."""
    path = Path(folder)
    if not (path / "index.html").is_file():
        raise SystemExit(f"{path} holds no index.html: build the pages first.")
    faults = broken(path)
    print("\n".join([*faults, f"{len(faults)} broken links in {path}"]))
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
