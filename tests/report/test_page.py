import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from latebloom.report.page import page
from latebloom.report.write import write_report


class Page(HTMLParser):
    """Tags with attributes, and the text of some of them."""

    VOID = frozenset({"meta", "img", "br", "link", "input"})

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.open, self.texts = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))


def test_every_tag_is_closed_and_the_page_has_its_landmarks(story):
    parsed = Page(page(story))
    assert parsed.open == []
    tags = [tag for tag, _ in parsed.tags]
    assert [tags.count(tag) for tag in ("html", "main", "header", "footer", "h1")] == [1] * 5
    assert dict(parsed.tags)["html"] == {"lang": "en"}


def test_nothing_is_loaded_from_anywhere(story):
    for tag, attributes in Page(page(story)).tags:
        assert tag not in ("script", "link", "iframe", "object")
        for name, value in attributes.items():
            assert name not in ("href", "style") and not name.startswith("on")
            assert name != "src" or value.startswith("data:image/svg+xml;base64,")


def test_the_policy_allows_exactly_the_one_style(story):
    text = page(story)
    style = re.search(r"<style>(.*?)</style>", text, re.S)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(a["content"] for tag, a in Page(text).tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert f"style-src 'sha256-{digest}'" in policy and "unsafe" not in policy
    assert text.count("<style>") == 1


def test_hostile_text_is_shown_and_does_nothing(hostile):
    text = page(hostile)
    parsed = Page(text)
    assert parsed.open == []
    assert [tag for tag, _ in parsed.tags].count("img") == 1
    assert not any(tag == "script" or "onerror" in attributes for tag, attributes in parsed.tags)
    assert "<script" not in text and "\u2028" not in text and "\x1b" not in text and "\u202e" not in text
    shown = "".join(data for tag, data in parsed.texts if tag == "h1")
    assert shown.startswith('<script>alert(1)</script>"><img src=x onerror=alert(2)>\\u2028\\x1b[31m\\u202e$')


def test_the_page_holds_the_verdict_its_numbers_and_what_would_refute_it(story):
    text = "".join(data for _, data in Page(page(story)).texts)
    for expected in (
        story.verdict.headline,
        story.verdict.refuted_by,
        f"{story.delay_steps:,} steps",
        "Training accuracy reached 99% at step",
        "Validation accuracy reached 95% at step",
        "task.modulus",
        "latebloom run recipe.yaml",
        story.spec_hash,
        "final",
    ):
        assert expected in text


def test_the_figure_has_words_for_those_who_do_not_see_it(story):
    (image,) = [attributes for tag, attributes in Page(page(story)).tags if tag == "img"]
    assert story.verdict.headline in image["alt"]


def test_odd_runs_have_a_page(odd):
    assert Page(page(odd)).open == []


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_text_colour_has_a_contrast_of_at_least_4_5(story):  # WCAG 2.2, 1.4.3, AA
    style = re.search(r"<style>(.*?)</style>", page(story), re.S)[1]
    for block in re.findall(r":root \{(.*?)\}", style, re.S)[:2]:
        colours = dict(re.findall(r"--(\w+): (#\w{6})", block))
        for ink in ("ink", "faint", "accent"):
            for ground in ("paper", "card"):
                light, dark = sorted((luminance(colours[ink]), luminance(colours[ground])), reverse=True)
                assert (light + 0.05) / (dark + 0.05) >= 4.5, (ink, ground)


def test_a_report_on_disk_is_the_page_and_both_figures(stored, make):
    from latebloom.analysis.story import tell

    run = stored(make())
    story = tell(run)
    paths = write_report(run, story)
    assert paths.page == run.path / "report" / "report.html"
    assert paths.page.read_text("utf-8") == page(story)
    assert paths.png.read_bytes().startswith(b"\x89PNG") and b"<svg" in paths.svg.read_bytes()
    assert write_report(run, story) == paths  # again is fine


@pytest.mark.browser
def test_a_browser_shows_the_page_without_a_complaint(hostile, tmp_path):
    sync_api = pytest.importorskip("playwright.sync_api")
    (tmp_path / "page.html").write_text(page(hostile), "utf-8")
    flags = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    flags += " --disable-component-update --disable-sync"
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=flags.split())
        tab = browser.new_page(color_scheme="dark")
        complaints, requests = [], []
        tab.on("console", lambda message: complaints.append(message.text))
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
        tab.on("request", lambda request: requests.append(request.url.partition(":")[0]))
        tab.goto((tmp_path / "page.html").as_uri())
        image = tab.get_by_role("img")
        assert image.is_visible()
        assert image.evaluate("image => image.complete && image.naturalWidth > 0")
        assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 20, 25)"  # style applied
        assert complaints == [] and set(requests) <= {"file", "data"}
        browser.close()
