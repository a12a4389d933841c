"""`latebloom report` on several runs, and the page that links them."""

from __future__ import annotations

import pytest

from latebloom.report.figures.picture import Picture
from latebloom.store import Store
from report.experiment import arms_plan, records, spec_of, store_run, stored_study

NAMES = ["report.html", "curves.png", "curves.svg"]


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """Two runs; what is drawn of them is tested elsewhere and takes long."""
    monkeypatch.setattr("latebloom.report.write.picture", lambda story: Picture(b"<svg/>", b"x"))
    for name in ("first", "second"):
        store_run(tmp_path / "runs", name, 0, spec_of(0), records(2000, 3000))
    return Store(tmp_path / "runs")


def test_several_runs_get_a_folder_each(here, shelf, tmp_path):
    said = here("report", "first", "second", "-o", tmp_path / "x", "--store", shelf.root)
    ids = [shelf.find(name).id for name in ("first", "second")]
    assert said.out.splitlines() == [str(tmp_path / "x" / run / name) for run in ids for name in NAMES]


def test_the_index_links_what_was_written_before_it(here, shelf):
    alone = here("report", "--index", "--store", shelf.root)
    assert alone.out == f"{shelf.root / 'index.html'}\n" and "<a href" not in (shelf.root / "index.html").read_text()
    both = here("report", "--all", "--index", "--store", shelf.root)
    assert both.out.splitlines()[-1] == str(shelf.root / "index.html") and len(both.out.splitlines()) == 7
    for name in ("first", "second"):
        assert (
            f'<a href="{shelf.find(name).id}/report/report.html">{name}</a>' in (shelf.root / "index.html").read_text()
        )


def test_a_site_of_its_own_holds_reports_and_index(here, shelf, tmp_path):
    said = here("report", "first", "--index", "-o", tmp_path / "site", "--store", shelf.root)
    run = shelf.find("first").id
    assert said.out.splitlines()[-1] == str(tmp_path / "site" / "index.html")
    assert f'<a href="{run}/report.html">first</a>' in (tmp_path / "site" / "index.html").read_text()


def test_of_many_runs_one_that_cannot_be_told_is_left_out_and_named(here, shelf):
    store_run(shelf.root, "bad", 0, spec_of(0) | {"detector": {"kind": "none"}}, records(2000, 300))
    bad = shelf.find("bad").id
    said = here("report", "--all", "--store", shelf.root)
    assert said.code == 0 and len(said.out.splitlines()) == 6
    assert said.err.startswith(f"{bad} was left out: ")
    assert here("report", "bad", "--store", shelf.root).code == 2


def test_all_runs_and_one_are_not_both_meant(here, shelf):
    said = here("report", "first", "--all", "--store", shelf.root)
    assert said.code == 2 and "--all is every run; name none" in said.err


def test_as_markdown_a_run_and_a_study_are_written_reports(here, shelf, monkeypatch):
    drawn = dict.fromkeys(["survival", "pairs", "curves"], Picture(b"", b"x"))
    monkeypatch.setattr("latebloom.report.written.write.study_figures", lambda study, gathered, told: drawn)
    monkeypatch.setattr("latebloom.report.written.write.picture", lambda story: Picture(b"", b"x"))
    study = stored_study(shelf.root, arms_plan({"baseline": [2000, 3000], "l1": [1000, 2000]}))
    said = here("report", "test", "first", "--format", "markdown", "--store", shelf.root)
    first = shelf.find("first")
    assert said.out.splitlines() == [
        *(str(study.path / "report" / name) for name in ("report.md", "survival.png", "pairs.png", "curves.png")),
        *(str(first.path / "report" / name) for name in ("report.md", "curves.png")),
    ]
    assert "## Abstract" in (first.path / "report" / "report.md").read_text()
    unknown = here("report", "nobody", "--format", "markdown", "--store", shelf.root)
    assert unknown.code == 5 and "nobody" in unknown.err


def test_a_study_asked_for_as_a_page_or_nearly_by_its_name_is_pointed_to(here, shelf):
    stored_study(shelf.root, arms_plan({"baseline": [2000]}), name="decays")
    said = here("report", "decays", "--store", shelf.root)
    assert said.code != 0 and "latebloom report decays --format markdown" in said.err
    said = here("report", "decay", "--format", "markdown", "--store", shelf.root)
    assert said.code != 0 and "Did you mean the study 'decays'?" in said.err
