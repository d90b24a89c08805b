"""Reports in a real browser: what one sees and clicks, in light and dark, on a phone, on paper."""

from __future__ import annotations

import base64
import json
import time

import pytest

from initlab.runner.report.run_page import write_run_report
from initlab.runner.report.sweep_page import write_sweep_report

pytestmark = pytest.mark.slow


@pytest.fixture
def opened(browser):
    """`opened(path)` opens a report and proves that it logs nothing and fetches nothing."""

    def call(path, width: int = 1200, height: int = 900):
        browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500},
        )
        browser.get_log("browser"), browser.get_log("performance")
        browser.get(path.absolute().as_uri())
        assert browser.get_log("browser") == []
        asked = [
            json.loads(entry["message"])["message"] for entry in browser.get_log("performance")
        ]
        urls = {
            event["params"]["request"]["url"]
            for event in asked
            if event["method"] == "Network.requestWillBeSent"
        }
        assert {url for url in urls if not url.startswith("data:")} <= {path.absolute().as_uri()}
        return browser

    yield call
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def cells(page, column: int) -> list[str]:
    script = "return Array.from(document.querySelectorAll('#runs tbody tr:not([hidden])'), (row) => row.cells[arguments[0]].textContent)"
    return page.execute_script(script, column)


def column_of(page, name: str) -> int:
    heads = page.execute_script(
        "return Array.from(document.querySelectorAll('#runs thead th'), (head) => head.textContent)"
    )
    return heads.index(name)


def click_heading(page, column: int) -> str | None:
    head = page.find_elements("css selector", "#runs thead th")[column]
    page.execute_script("arguments[0].scrollIntoView({block: 'center', inline: 'center'})", head)
    head.find_element("css selector", "button").click()
    return head.get_attribute("aria-sort")


def test_a_click_on_a_heading_sorts_numbers_as_numbers_and_again_the_other_way(opened, many):
    page = opened(write_sweep_report(many(30)))
    seeds = column_of(page, "seed")
    assert click_heading(page, column_of(page, "loss")) == "ascending"
    losses = [float(text) for text in cells(page, column_of(page, "loss"))]
    assert losses == sorted(losses) and len(losses) == 30
    assert click_heading(page, seeds) == "ascending"
    assert cells(page, seeds) == [str(n) for n in range(30)]
    assert click_heading(page, seeds) == "descending"
    assert cells(page, seeds) == [str(n) for n in reversed(range(30))]
    assert page.execute_script("return document.querySelectorAll('[aria-sort]').length") == 1


def test_runs_without_a_value_come_last_either_way(opened, sweep_folder):
    page = opened(write_sweep_report(sweep_folder))
    loss = column_of(page, "loss")
    for _ in range(2):
        click_heading(page, loss)
        assert cells(page, loss)[-2:] == ["", ""]


def test_the_filter_keeps_rows_that_hold_all_its_words(opened, sweep_folder):
    page = opened(write_sweep_report(sweep_folder))
    field = page.find_element("css selector", "#runs-filter")
    field.send_keys("FAILED seed1")
    assert len(cells(page, 1)) == 1 and cells(page, column_of(page, "state")) == ["failed"]
    assert page.find_element("css selector", "#runs-shown").text == "1 of 6 shown"
    assert page.find_element("css selector", "label[for='runs-filter']").text == "Filter"


def test_two_chosen_runs_are_compared_and_a_third_takes_the_firsts_place(opened, sweep_folder):
    page = opened(write_sweep_report(sweep_folder))
    place = page.find_element("css selector", "#comparison")
    assert place.text == "Choose two runs in the table to see what differs."
    boxes = page.find_elements("css selector", "#runs tbody input")
    for box in boxes[:2]:
        page.execute_script("arguments[0].click()", box)
    names = [cell.text for cell in place.find_elements("css selector", "tbody th")]
    assert "seed" in names and "loss" in names and "init.sigma" not in names
    page.execute_script("arguments[0].click()", boxes[2])
    heads = [cell.text for cell in place.find_elements("css selector", "thead th")]
    assert heads[1:] == [boxes[1].get_attribute("value"), boxes[2].get_attribute("value")]
    assert [box.is_selected() for box in boxes] == [False, True, True, False]
    page.execute_script("arguments[0].click()", boxes[2])
    assert place.text == "Choose two runs in the table to see what differs."


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_is_the_systems_until_the_button_says_otherwise(
    scheme, opened, run_folder, browser
):
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
    )
    page = opened(write_run_report(run_folder))
    look = "return [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.querySelector('svg text')).fill]"
    light, dark = (
        ["rgb(255, 255, 255)", "rgb(28, 33, 39)"],
        ["rgb(20, 24, 29)", "rgb(230, 234, 239)"],
    )
    assert page.execute_script(look) == (light if scheme == "light" else dark)
    button = page.find_element("css selector", "#theme")
    assert button.text == ("Dark" if scheme == "light" else "Light")
    button.click()
    assert page.execute_script(look) == (dark if scheme == "light" else light)
    button.click()
    assert page.execute_script(look) == (light if scheme == "light" else dark)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


WIDE = """
const beyond = (e) => e.getBoundingClientRect().right > innerWidth + 1;
const hidden = (e) => e.scrollWidth > e.clientWidth + 1;
return {
  page: [document.documentElement.scrollWidth, innerWidth],
  tables: [...document.querySelectorAll(".scroll")].filter(hidden).map((e) => e.ariaLabel),
  charts: [...document.querySelectorAll("figure, svg")].filter(beyond).length,
  captions: [...document.querySelectorAll("figcaption, .findings h3, dd")].filter(hidden).length,
}"""


@pytest.fixture
def pages(run_folder, sweep_folder, shown):
    """The reports of a run with many figures, of a GPT-2 of 24 blocks, of a sweep of which runs failed,
    and of an experiment with claims and a training.
    """
    deep, trained = shown
    runs = [write_run_report(folder) for folder in (run_folder, deep)]
    return runs + [write_sweep_report(folder) for folder in (sweep_folder, trained)]


def test_pages_and_their_tables_are_within_a_wide_window_and_a_phones(opened, pages):
    for path in pages:
        for width in (1400, 390):
            found = opened(path, width, 900).execute_script(WIDE)
            assert found == {"page": [width] * 2, "tables": [], "charts": 0, "captions": 0}, path


def test_a_phone_shows_the_columns_that_matter_and_all_if_asked(opened, pages):
    heads = "return [...document.querySelectorAll('#parameters th')].filter((e) => e.offsetWidth).map((e) => e.dataset.name)"
    page = opened(pages[1], 390, 844)
    assert page.execute_script(heads) == ["path", "verdict", "declared std", "measured std"]
    box = page.find_element("css selector", ".table:has(#parameters) .every input")
    page.execute_script("arguments[0].click()", box)
    assert page.execute_script(heads)[-2:] == ["law", "shape"]
    page = opened(pages[1], 1400, 900)
    assert len(page.execute_script(heads)) == 8
    assert not page.find_element("css selector", ".every").is_displayed()


def test_text_of_charts_is_large_enough_to_read(opened, pages):
    scale = "return [...document.querySelectorAll('.charts svg, .small svg')].map((e) => e.getBoundingClientRect().width / e.viewBox.baseVal.width)"
    for path in pages:
        for width in (1400, 390):
            found = opened(path, width, 900).execute_script(scale)
            assert found and min(found) > 0.95, "7 points are 7 pixels at least"


def test_charts_are_whole_on_a_narrow_screen(opened, run_folder, sweep_folder):
    for path in (write_run_report(run_folder), write_sweep_report(sweep_folder)):
        page = opened(path, 500, 900)
        ends = "return Array.from(document.querySelectorAll('figure svg'), (e) => e.getBoundingClientRect().right)"
        right = page.execute_script(ends)
        assert right and max(right) <= 500


PAPER = (718, 1000)
"""The size of a page of paper without its margins in pixels."""


def test_on_paper_tables_are_whole_have_headings_and_break_no_word(opened, pages, browser):
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        for path in pages:
            page = opened(path, *PAPER)
            assert page.execute_script(WIDE) | {"tables": []} == {
                "page": [PAPER[0]] * 2,
                "tables": [],
                "charts": 0,
                "captions": 0,
            }
            ends = "return Math.max(...[...document.querySelectorAll('table')].map((e) => e.getBoundingClientRect().right))"
            assert page.execute_script(ends) <= PAPER[0] + 1
            heads = "return [...document.querySelectorAll('th[data-name]')].map((e) => [e.querySelector('button').offsetWidth, getComputedStyle(e, '::after').content])"
            assert all(not w and text.strip('"') for w, text in page.execute_script(heads))
            looked = "return [...document.querySelectorAll('details > ul > li')].every((e) => e.offsetHeight)"
            assert page.execute_script(looked), "what is folded on a screen is open on paper"
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_compared_numbers_have_few_digits_and_all_of_them_as_a_title(opened, sweep_folder):
    page = opened(write_sweep_report(sweep_folder))
    for box in page.find_elements("css selector", "#runs tbody input")[:2]:
        page.execute_script("arguments[0].click()", box)
    row = page.find_element("xpath", "//*[@id='comparison']//tr[th='loss']")
    for cell in row.find_elements("css selector", "td"):
        assert len(cell.text) <= 8 < len(cell.get_attribute("title"))
        assert float(cell.text) == pytest.approx(float(cell.get_attribute("title")), rel=1e-5)


def test_every_control_and_picture_has_a_name_that_assistive_technology_reads(
    opened, run_folder, sweep_folder
):
    for path in (write_run_report(run_folder), write_sweep_report(sweep_folder)):
        page = opened(path)
        tree = page.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        roles = ("button", "checkbox", "searchbox", "image", "link", "columnheader", "region")
        nodes = [
            node
            for node in tree
            if node.get("role", {}).get("value") in roles and not node.get("ignored")
        ]
        found = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes]
        assert {role for role, _ in found} >= {"button", "image", "columnheader", "region"}
        assert [role for role, name in found if not name.strip() and role != "columnheader"] == []


def test_a_report_prints_on_paper_whole_and_light(opened, run_folder, browser):
    page = opened(write_run_report(run_folder))
    printed = page.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"]
    data = base64.b64decode(printed)
    assert (
        data.startswith(b"%PDF")
        and data.count(b"/Type /Page\n") + data.count(b"/Type /Page ") + data.count(b"/Type/Page")
        >= 1
    )
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    hidden = "return getComputedStyle(document.querySelector('#theme')).display"
    whole = "return getComputedStyle(document.querySelector('.tall')).maxHeight"
    assert page.execute_script(hidden) == "none"
    assert page.execute_script(whole) == "none"
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_five_hundred_runs_open_and_sort_at_once(opened, many):
    """The goal is 2 seconds; machines are noisy, so that ten times as much is what fails."""
    path = write_sweep_report(many(500))
    start = time.monotonic()
    page = opened(path)
    timing = page.execute_script(
        "const t = performance.getEntriesByType('navigation')[0]; return t.loadEventEnd"
    )
    assert timing < 20_000 and time.monotonic() - start < 60
    click_heading(page, column_of(page, "loss"))
    assert len(cells(page, 1)) == 500
