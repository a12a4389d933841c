"""What the numbers of a line mean, worked out once for all lines that differ only in their numbers.

A line is cut at its numbers. What stands before a number names it, alone or with what came earlier in the line:

    Epoch 12/300 | train loss 0.01 acc 0.99 | Test set: loss=5.3, Accuracy: 12/100 (12%)
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from .events import kind_of_line
from .names import AGAINST, MEASURES, SPLITS, Meaning, meaning_of, split_of, words_of
from .text_cut import name_of

Kind = Literal["record", "cached", "summary", "end", "nothing"]

_HARD = re.compile(r"[|;,\t{}\[\]]|\s[-–—]+\s")
_EPOCHS = {"epoch", "ep", "эпоха", "에포크", "에폭", "エポック", "轮次", "轮"}
_STEPS = {"step", "iter", "iteration", "it", "itr", "update", "timestep", "steps", "iterations", "iters", "updates"}
_BATCHES = {"batch", "minibatch", "mb", "batches"}
_NO_POSITION = {
    *("max", "total", "num", "n", "per", "best", "every", "warmup"),
    *("remaining", "number", "of", "save", "early"),
}
_TIMES = {
    *("time", "eta", "elapsed", "sec", "secs", "seconds", "s", "ms"),
    *("duration", "gpu", "mem", "memory", "speed", "it"),
}
_CACHED = re.compile(r"[\[(]\s*cached\s*[\])]|\bcached\b", re.IGNORECASE)
_END = re.compile(
    r"\b(?:training|run|experiment) (?:is )?(?:complete|finished|done|over)|\b(?:finished|done) training", re.IGNORECASE
)
_SUMMARY = re.compile(
    r"\b(?:best|final(?:ly)?|summary|target|early.?stop\w*|sav(?:ed|ing)|checkpoint\w*|load(?:ed|ing)|resum\w+|restor\w+|"
    r"detected|grokked|reached|converged|threshold|config\w*|args|arguments|namespace|results? for|parameters|"
    r"train_runtime)\b",
    re.IGNORECASE,
)
_OF_IMAGENET = re.compile(r"^\s*\* (?:Prec|Acc)@1\b")  # PyTorch's example ends each validation with such a line
_TAG = re.compile(r"^\s*\[[A-Za-z_ .-]+\]\s*")
_MOST_OTHER_WORDS = 4
_ABOUT_VALIDATION = ("correlation", "coverage")
_HEADINGS = ("loss", "accuracy")


class Reading(NamedTuple):
    """Numbers of a line that are one or two readings."""

    how: Literal["one", "pair", "ratio", "largest"]
    at: tuple[int, ...]  # places of the numbers
    names: tuple[str, ...]
    percent: bool
    is_bare: bool  # the examples are not named in the line: the heading above it may do it


class Plan(NamedTuple):
    """What to do with a line."""

    kind: Kind
    epoch: int  # place of the number, -1 if there is none
    step: int
    batch: int
    of: int  # place of n in a nameless `n/m`
    lead: int  # place of a nameless number before everything else
    readings: tuple[Reading, ...]
    event: str


def plan_of(pieces: tuple[str, ...]) -> Plan:
    """The plan for lines that have these pieces around their numbers."""
    line = "#".join(pieces)
    if _CACHED.search(line):
        return _nothing("cached")
    builder = _Builder(pieces)
    if _OF_IMAGENET.match(line):
        builder.group = "val"
    builder.build()
    known = any(meaning_of(name) for one in builder.readings for name in one.names)
    event = "" if known and "#" in line and "->" not in line else kind_of_line(line)
    if _END.search(line):
        return _nothing("end")
    tag = _TAG.match(line)
    start = tag.end() if tag and not split_of(tag[0]) else 0
    ahead = line[start : builder.first(line)]
    if _SUMMARY.search(ahead):
        return _nothing("summary", event)
    if not builder.readings and builder.epoch < 0 and builder.step < 0:
        return _nothing("nothing", event)
    return Plan(
        "record",
        builder.epoch,
        builder.step,
        builder.batch,
        builder.count,
        builder.lead,
        tuple(builder.readings),
        event,
    )


def _nothing(kind: Kind, event: str = "") -> Plan:
    return Plan(kind, -1, -1, -1, -1, -1, (), event)


class _Builder:
    """Goes through the numbers of a line from left to right."""

    def __init__(self, pieces: tuple[str, ...]) -> None:
        self.pieces = pieces
        self.epoch = self.step = self.batch = self.count = self.lead = -1
        self.readings: list[Reading] = []
        self.group = ""  # examples named by a heading: `Test set: loss ...`
        self._carried = ""  # examples named by the reading before
        self._carried_measure = ""
        self._heading = ""  # a measure named by a heading: `Loss: train=... val=...`
        self._used = set[int]()
        self._bare = [word for piece in pieces[:-1] for word in self._bare_measure(piece)]

    def build(self) -> None:
        """Find the position and the readings."""
        for at in range(len(self.pieces) - 1):
            if at in self._used:
                continue
            before, after = self.pieces[at], self.pieces[at + 1]
            if after.startswith("%|"):
                continue  # the bar of a progress bar
            name, headings = name_of(before)
            for heading in headings:
                self._heed(heading)
            if self._is_position(at, name, before, after):
                continue
            if not name:
                self._nameless(at, before, after)
            else:
                self._reading(at, name, before, after)

    def first(self, line: str) -> int:
        """Where in the line, its numbers written as #, the first number stands that was understood."""
        places = [place for place in (self.epoch, self.step, self.batch, self.count, self.lead) if place >= 0]
        places += [one.at[0] for one in self.readings]
        if not places:
            return len(line)
        return sum(len(piece) + 1 for piece in self.pieces[: min(places) + 1])

    def _heed(self, heading: str) -> None:
        if split := split_of(heading):
            self.group, self._carried = split, ""
            return
        meaning = meaning_of(heading)
        if meaning and (meaning.measure in _ABOUT_VALIDATION or (not meaning.split and meaning.measure in _HEADINGS)):
            self._heading = heading.strip()

    def _is_position(self, at: int, name: str, before: str, after: str) -> bool:
        words = words_of(name) or ((name.lower(),) if name else ())
        if not words or len(words) > 4 or set(words[:-1]) & _NO_POSITION:
            return False
        last = (
            words[-1]
            if words[-1] not in ("id", "no", "idx", "number", "index", "num") or len(words) == 1
            else words[-2]
        )
        for counters, field in ((_EPOCHS, "epoch"), (_STEPS, "step"), (_BATCHES, "batch")):
            if last in counters:
                if getattr(self, field) < 0:
                    setattr(self, field, at)
                if after.strip() in ("/", "of"):
                    self._used.add(at + 1)
                if split := next((SPLITS[word] for word in words[:-1] if word in SPLITS), ""):
                    self.group = self.group or split
                return True
        return False

    def _nameless(self, at: int, before: str, after: str) -> None:
        if after.strip() == "/" and at + 1 < len(self.pieces) - 1:
            self._used.add(at + 1)
            if self.count < 0 and not self.readings:
                self.count = at
        elif after.startswith("%") and before.strip() in ("(", "[") and (split := split_of_name(self._carried)):
            if not self._has(split, "accuracy"):
                self._put("one", at, (f"{split} acc",), True)  # `tr 0.1234 (98.7%)`
        elif (
            at == 0 and self.lead < 0 and (after[:1] in "]:)|,\t" or after[:1].isspace()) and not after.startswith("%")
        ):
            self.lead = at

    def _reading(self, at: int, name: str, before: str, after: str) -> None:
        percent = after.lstrip(" ").startswith("%")
        meaning = meaning_of(name)
        if meaning is None:
            self._unknown(at, name, before, after, percent)
            return
        is_two = after.strip().lstrip("%").strip() == "/" and at + 1 < len(self.pieces) - 1
        if is_two:
            self._used.add(at + 1)
        if not meaning.measure and is_two and re.search(r"\w \($", before) and self.epoch < 0:
            self.epoch, self.group, self._carried = at, meaning.split, ""  # `valid (3/200) loss: ...`
            return
        if not meaning.measure:
            self._split_alone(at, name, meaning, percent, is_two)
            return
        if meaning.split or "_" in meaning.measure:
            if meaning.split:
                self._carried = name if (" " in name.strip()) else ""
                self.group = ""
            self._carried_measure, self._heading = meaning.measure, ""
            self._put("ratio" if is_two else "one", at, (name,), percent)
            return
        split = self._split_for(meaning, before)
        full = f"{split} {name}" if split else name
        if is_two and not split:
            self._put("pair", at, (name,), percent)
        else:
            self._put("ratio" if is_two else "one", at, (full,), percent, is_bare=not split)

    def _split_alone(self, at: int, name: str, meaning: Meaning, percent: bool, is_two: bool) -> None:
        if self.epoch < 0 and self.pieces[at + 1].strip() == "[" and self.pieces[at + 2 :][:1] == ("/",):
            self.epoch, self.group, self._carried = at, meaning.split, ""  # timm: `Train: 3 [  10/97 ...`
            return
        self._carried, self.group, self._carried_measure = f"{name} ", "", "accuracy" if percent else ""
        if is_two and (percent or self.pieces[at + 2].lstrip().startswith("%")):
            names = (f"{name} acc", f"{name} loss") if percent else (f"{name} loss", f"{name} acc")
            self._put("one", at, names[:1], percent)
            self._put("one", at + 1, names[1:], not percent)
        elif self._heading:
            self._put("one", at, (f"{name} {self._heading}",), percent)
        else:
            self._put("one", at, (f"{name} acc" if percent else name,), percent)

    def _split_for(self, meaning: Meaning, before: str) -> str:
        """The examples of a measure that does not name them, by what stands before it; never guessed for validation."""
        if self.group:
            return self.group
        carried = split_of_name(self._carried)
        if not carried:
            return ""
        if not _HARD.search(before.lstrip("%) ")) and not self._has(carried, meaning.measure):
            return carried
        if self._bare.count(meaning.measure) > 1 or carried == "train":
            return carried if not self._has(carried, meaning.measure) else ""
        return carried if (self._carried_measure, meaning.measure) == ("loss", "accuracy") else ""

    def _has(self, split: str, measure: str) -> bool:
        found = [meaning_of(name) for one in self.readings for name in one.names]
        return any(meaning and (meaning.split, meaning.measure) == (split, measure) for meaning in found)

    def _unknown(self, at: int, name: str, before: str, after: str, percent: bool) -> None:
        words = words_of(name)
        if self._heading and len(name.strip()) == 1:
            for place, one in enumerate(self.readings):
                if one.how == "largest" and one.names == (self._heading,):
                    self.readings[place] = one._replace(at=(*one.at, at))
                    return
            self._put("largest", at, (self._heading,), percent)
            return
        splits = [SPLITS[word] for word in words if word in SPLITS]
        measures = {MEASURES[word] for word in words if word in MEASURES}
        if len(set(splits)) == 2 and len(measures) == 1 and after.strip() == "/":
            self._used.add(at + 1)
            [measure] = measures
            self.readings.append(
                Reading("pair", (at, at + 1), tuple(f"{split} {measure}" for split in splits[:2]), percent, False)
            )
            return
        is_named = before.rstrip()[-1:] in (":", "=") and name[:1].isalpha() and not set(words) & AGAINST
        if is_named and 0 < len(words) <= _MOST_OTHER_WORDS and not set(words) & _TIMES and not after.startswith("/"):
            self._put("one", at, (name.strip(),), percent)

    def _put(
        self,
        how: Literal["one", "pair", "ratio", "largest"],
        at: int,
        names: tuple[str, ...],
        percent: bool,
        is_bare: bool = False,
    ) -> None:
        places = (at, at + 1) if how in ("pair", "ratio") else (at,)
        if how == "pair":
            percent = percent and self.pieces[at + 2].lstrip().startswith("%")
            names = (f"train {names[0]}", f"val {names[0]}")
        self.readings.append(Reading(how, places, tuple(" ".join(name.split()) for name in names), percent, is_bare))

    @staticmethod
    def _bare_measure(piece: str) -> list[str]:
        meaning = meaning_of(name_of(piece)[0])
        return [meaning.measure] if meaning and not meaning.split else []


def split_of_name(name: str) -> str:
    """The examples that a name speaks of."""
    meaning = meaning_of(name) if name else None
    return meaning.split if meaning else ""
