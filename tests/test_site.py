"""The site of the documents: every page is found, no link is dead, and nothing is fetched from elsewhere."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml

ROOT = Path(__file__).parents[1]
ADDED = {"index.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "reporting.md"}
"""Pages of the site that are made of files of the root."""
FETCHED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src"}


def pages(part: object) -> list[str]:
    """The pages in a part of the navigation, in order."""
    if isinstance(part, str):
        return [part]
    parts = part.values() if isinstance(part, dict) else part
    return [page for one in parts for page in pages(one)]


def test_every_page_is_in_the_navigation_once_and_every_entry_is_a_page():
    listed = pages(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])
    docs = ROOT / "docs"
    there = {str(page.relative_to(docs)) for page in docs.rglob("*.md")} | ADDED
    assert sorted(listed) == sorted(there)


class Page(HTMLParser):
    """The addresses that a page leads to and fetches, and its anchors."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links, self.fetched, self.anchors = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.anchors |= {given[name] for name in ("id", "name") if given.get(name)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if given.get(FETCHED.get(tag)) and given.get("rel") != "canonical":
            self.fetched.append(given[FETCHED[tag]])


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    if importlib.util.find_spec("material") is None:
        pytest.skip("mkdocs-material is not installed: pip install 'initlab[docs]'")
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(target)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return target


@pytest.fixture(scope="module")
def found(site) -> dict[Path, Page]:
    return {page: Page(page.read_text(encoding="utf-8")) for page in site.rglob("*.html")}


@pytest.mark.slow
def test_no_link_is_dead_neither_to_a_page_nor_to_an_anchor(site, found):
    dead = []
    for page, content in found.items():
        for link in (*content.links, *content.fetched):
            parts = urlsplit(link)
            if parts.scheme or page.name == "404.html":
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            target = target / "index.html" if target.is_dir() else target
            anchors = found[target].anchors if target in found else set()
            lost = parts.fragment and unquote(parts.fragment) not in anchors
            if not target.is_file() or lost:
                dead.append(f"{page.relative_to(site)}: {link}")
    assert dead == []
    assert len(found) > 40


@pytest.mark.slow
def test_nothing_is_fetched_from_elsewhere(site, found):
    assert [url for page in found.values() for url in page.fetched if urlsplit(url).netloc] == []
    styles = [path.read_text(encoding="utf-8") for path in site.rglob("*.css")]
    assert styles and not any("url(http" in text or "@import" in text for text in styles)


@pytest.mark.slow
def test_search_finds_a_page_without_a_server(site, tmp_path):
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    binary = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if binary is None or driver is None:
        pytest.skip("chromium and chromedriver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for option in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(option)
    options.add_argument(f"--user-data-dir={tmp_path}")
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        browser.implicitly_wait(20)
        browser.get((site / "reference" / "layers.html").as_uri() + "?q=padding")
        links = browser.find_elements("css selector", ".md-search-result__link")
        assert any("config.html" in link.get_attribute("href") for link in links)
    finally:
        browser.quit()
