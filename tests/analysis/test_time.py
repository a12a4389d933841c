from latebloom.analysis.story import tell
from latebloom.analysis.time import segments


def at(minute, what, **facts):
    return {"at": f"2026-01-31T12:{minute:02}:00.000000Z", "what": what, **facts}


def test_time_between_a_crash_and_the_resume_is_not_counted():
    journal = [
        at(0, "started"),
        at(10, "saved", step=1000),
        at(40, "notice", text="cut"),
        at(40, "resumed", step=1000),
        at(45, "stopped", step=1500),
    ]
    assert [(one.began, one.from_step, one.to_step, one.seconds) for one in segments(journal)] == [
        ("started", 0, 1000, 600.0),
        ("resumed", 1000, 1500, 300.0),
    ]


def test_a_clock_set_back_makes_no_negative_time():
    assert segments([at(30, "started"), at(10, "saved", step=5)])[0].seconds == 0.0


def test_a_journal_with_unreadable_times_still_has_its_steps():
    journal = [{"at": "yesterday", "what": "started"}, {"at": None, "what": "saved", "step": 7}, {"what": "saved"}]
    assert [(one.to_step, one.seconds) for one in segments(journal)] == [(7, 0.0)]


def test_a_story_counts_steps_per_second_of_work(stored, records):
    run = stored(records, journal=[("stopped", {"step": 20_000})])
    story = tell(run)
    assert story.segments[0].to_step == 20_000 and story.steps_per_s > 0
