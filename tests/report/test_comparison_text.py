import csv
import io
import json

import pytest

from latebloom.base.errors import StoreError
from latebloom.report.comparison import write
from latebloom.report.comparison.compared import compared
from latebloom.report.comparison.figures import Figures, figures
from latebloom.report.comparison.page import page
from latebloom.report.comparison.tables import arms_csv, runs_csv
from latebloom.report.comparison.words import arms_table, comparison_text, contrasts_table, numbers
from latebloom.report.figures.picture import Picture
from report.conftest import HOSTILE
from report.experiment import DIVERGED, gathered
from report.test_page import Page

EIGHT = {
    "baseline": [2000, 4000, 3000, 2500, 3500, 2000, 4000, 3000],
    "half": [1000, 2000, 1500, 1200, 1800, 1000, 2000, 1500],
    "stuck": [9000, None, None, DIVERGED, None, None, 8000, None],
}
NO_FIGURES = Figures(*(Picture(b"<svg/>", b"") for _ in range(3)))


@pytest.fixture(scope="module")
def eight():
    return compared(gathered(EIGHT, lasts={("stuck", 7): 5000}, notes=["3 of 27 planned runs have not begun."]))


@pytest.fixture(scope="module")
def hostile():
    return compared(gathered({HOSTILE: [2000, 3000], "=SUM(A1)": [1000, None]}, notes=[HOSTILE], title=HOSTILE))


def test_the_text_holds_every_number_that_decides_and_how_many_runs_it_is_of(eight):
    text = comparison_text(eight)
    for expected in (
        "Which arm generalized sooner?",
        "study test, 24 runs, 8 seeds in every arm: 0 to 7",
        "Compared up to step 10,000. Generalized: validation accuracy of 95% or more in 4 of 5 evaluations in a row.",
        "half: sooner: 2 times (95 % ",
        "stuck: later: takes ",
        "- 3 of 27 planned runs have not begun.",
        "- 1 run of stuck diverged",
        "- pairs: runs that began with the same split and the same weights",
        "The arms differ in interventions.0.kind.",
    ):
        assert expected in text
    half, stuck = contrasts_table(eight)[2:]
    contrast = eight.comparison.contrasts[0]
    assert half.split()[:2] == ["half", "2"] and half.endswith("sooner") and "8 pairs" in half
    assert f"{contrast.p:.2g}" in half and f"{contrast.p_holm:.2g}" in half and stuck.endswith("later")


def test_each_arm_has_a_line_and_one_for_runs_that_did_not_get_there(eight):
    first, second, baseline, half, stuck, ends = arms_table(eight)
    assert baseline.split() == ["baseline", "8", "of", "8", "100", "(68", "to", "100)", "3,000", *baseline.split()[9:]]
    assert half.split()[1:4] == ["8", "of", "8"] and half.split()[-2] == "500"
    assert stuck.split()[1:4] == ["2", "of", "8"] and stuck.split()[-1] == "–"  # no median lateness
    assert ends == "    4 fitted the training set only; 1 diverged or collapsed; 1 not watched that far"
    assert len({len(line) for line in (second, baseline, half, stuck)}) == 1 and first


def test_no_line_is_wider_than_a_terminal(eight):
    long = compared(gathered({"baseline " * 9: [1000, None], "weight decay " * 9: [2000, None]}, budget=1_000_000))
    for told in (eight, long):
        assert max(map(len, comparison_text(told).splitlines())) <= 120


def test_arms_with_different_seeds_say_which(eight):
    text = comparison_text(compared(gathered({"a": [1000, 2000, 3000], "b": [1000]})))
    assert "    seeds 0 to 2" in text and "    seed 0" in text and "in every arm" not in text
    assert numbers([5, 3, 4, 0, 1]) == "0, 1, 3 to 5"


def test_the_event_is_in_the_words(eight):
    told = compared(gathered({"a": [1000, 2000], "b": [1000, 2000]}, event="memorized"))
    text = comparison_text(told)
    assert "Which arm memorized sooner?" in text and "Memorized: training accuracy of 99% or more" in text


def test_hostile_names_do_not_act_in_a_terminal(hostile):
    assert all(letter == "\n" or letter.isprintable() for letter in comparison_text(hostile))


def test_the_page_is_whole_and_loads_nothing(eight, hostile):
    for told in (eight, hostile):
        text = page(told, NO_FIGURES)
        parsed = Page(text)
        assert parsed.open == []
        tags = [tag for tag, _ in parsed.tags]
        assert [tags.count(tag) for tag in ("html", "main", "header", "footer", "h1", "img")] == [1, 1, 1, 1, 1, 3]
        for tag, attributes in parsed.tags:
            assert tag not in ("script", "link", "iframe", "object")
            for name, value in attributes.items():
                assert name not in ("href", "style") and not name.startswith("on")
                assert name != "src" or value.startswith("data:image/svg+xml;base64,")
        assert "<script" not in text and "\u2028" not in text and "\x1b" not in text and "\u202e" not in text


def test_the_page_has_the_style_that_its_policy_allows(eight):
    import base64
    import hashlib
    import re

    text = page(eight, NO_FIGURES)
    style = re.search(r"<style>(.*?)</style>", text, re.S)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(a["content"] for _, a in Page(text).tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith(f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'")
    assert "unsafe" not in policy


def test_the_page_holds_conclusions_warnings_meanings_settings_and_runs(eight):
    text = " ".join("".join(data for _, data in Page(page(eight, NO_FIGURES)).texts).split())
    for one in (*eight.comparison.contrasts,):
        assert f"{one.arm} : {one.verdict}".replace(" :", ":") in text
    for expected in (*eight.comparison.warnings, "interventions.0.kind", "How each arm stood at step 10,000", "half/3"):
        assert expected in text


def test_the_rows_of_runs_are_the_outcomes(eight):
    rows = list(csv.DictReader(io.StringIO(runs_csv(eight))))
    assert [row["run"] for row in rows] == [one.run for one in eight.outcomes]
    for row, one in zip(rows, eight.outcomes, strict=True):
        assert row["happened.step"] == (str(one.happened.step) if one.happened else "")
        assert (row["arm"], row["seed"], row["status"]) == (one.arm, str(one.seed), one.status)
        assert row["settings.interventions.0.kind"] == one.arm and row["last_step"] == str(one.last_step)


def test_the_rows_of_arms_hold_the_summaries_and_contrasts(eight):
    rows = {row["arm"]: row for row in csv.DictReader(io.StringIO(arms_csv(eight)))}
    assert list(rows) == ["baseline", "half", "stuck"]
    assert rows["baseline"]["contrast.ratio"] == "" and float(rows["half"]["contrast.ratio"]) == pytest.approx(
        2, rel=0.1
    )
    assert rows["stuck"]["counts.diverged"] == "1" and rows["half"]["seeds"] == "0 1 2 3 4 5 6 7"
    assert not [column for column in rows["half"] if "curve" in column]


def test_a_name_is_no_formula_in_a_spreadsheet(hostile):
    for table in (runs_csv(hostile), arms_csv(hostile)):
        cells = [cell for row in csv.reader(io.StringIO(table)) for cell in row]
        assert "'=SUM(A1)" in cells and not [cell for cell in cells if cell.startswith(("=", "+", "@"))]
        assert all(letter.isprintable() for cell in cells for letter in cell)


def test_everything_is_written_and_written_again(tmp_path, monkeypatch):
    monkeypatch.setattr(write, "figures", lambda told: NO_FIGURES)
    told = compared(gathered({"a": [1000, 2000], "b": [500, 1000]}))
    paths = write.write_comparison(told, tmp_path / "new" / "folder")
    assert sorted(path.name for path in paths) == sorted(path.name for path in (tmp_path / "new" / "folder").iterdir())
    assert [path.name for path in paths if path.suffix != ".svg" and path.suffix != ".png"] == [
        "comparison.html", "runs.csv", "arms.csv", "comparison.json",
    ]  # fmt: skip
    told_json = json.loads((tmp_path / "new" / "folder" / "comparison.json").read_text())
    assert told_json["schema"] == 1 and told_json["contrasts"][0]["ratio"] == pytest.approx(2)
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError):
        write.write_comparison(told, tmp_path / "file")


@pytest.mark.browser
def test_a_browser_shows_the_page_without_a_complaint(hostile, tmp_path):
    sync_api = pytest.importorskip("playwright.sync_api")
    (tmp_path / "page.html").write_text(page(hostile, figures(hostile)), "utf-8")
    flags = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    flags += " --disable-component-update --disable-sync"
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=flags.split())
        tab = browser.new_page()
        complaints, requests = [], []
        tab.on("console", lambda message: complaints.append(message.text))
        tab.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
        tab.on("request", lambda request: requests.append(request.url.partition(":")[0]))
        tab.goto((tmp_path / "page.html").as_uri())
        images = tab.get_by_role("img").all()
        assert [image.evaluate("image => image.complete && image.naturalWidth > 0") for image in images] == [True] * 3
        assert complaints == [] and set(requests) <= {"file", "data"}
        browser.close()
