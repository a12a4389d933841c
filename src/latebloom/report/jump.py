"""A jump of the training loss in words: what it was, which explanations survive, and what the forks say."""

from __future__ import annotations

from textwrap import wrap

from ..analysis.jump import Explanation, Finding, Fork, Replay
from .text import visible

WIDTH = 110
MARKS = {"survives": "SURVIVES", "refuted": "refuted", "not testable here": "not testable here"}


def jump_text(found: Explanation) -> str:
    """For `latebloom jump`."""
    lines = [*_paragraph(headline(found)), ""]
    if found.replay is not None:
        lines += [*_paragraph(replay_sentence(found.replay)), ""]
    for finding in found.findings:
        lines += [*finding_lines(finding), ""]
    lines += _paragraph(_conclusion(found))
    if found.forks:
        lines += ["", "The same stretch with one thing changed:"]
        lines += [f"  {fork.changed:<22} {fork_sentence(fork)}" for fork in found.forks]
        lines += ["", *_paragraph(depends(found.forks))]
    others = [jump for jump in found.jumps if not jump.previous_step <= found.top_step <= jump.step]
    if others:
        shown = ", ".join(f"{jump.step:,} ({jump.before:.3g} to {jump.value:.3g})" for jump in others[:8])
        more = f" and {len(others) - 8} more" if len(others) > 8 else ""
        lines += ["", *_paragraph(f"Other jumps of {found.reading}: {shown}{more}. Name one with --step.")]
    return "\n".join(visible(line) for line in lines)


def finding_lines(finding: Finding) -> list[str]:
    """One explanation: verdict, what was seen, and what would have killed it."""
    head = f"({finding.letter}) {MARKS[finding.verdict]}: {finding.claim}"
    return [
        *_paragraph(head),
        *_paragraph(f"seen: {finding.because}.", "    "),
        *_paragraph(f"killed by: {finding.killed_by}", "    "),
    ]


def replay_sentence(replay: Replay) -> str:
    """Whether what was read is the run itself."""
    begin = f"Trained once more from step {replay.from_step:,}: "
    checkpoints = ", ".join(f"{step:,}" for step in replay.checkpoints)
    states = f" and the state of step {checkpoints}" if checkpoints else ""
    if replay.is_exact:
        return f"{begin}{replay.compared:,} stored readings{states} came out again, equal to the last bit."
    if not replay.compared and not replay.checkpoints:
        return f"{begin}nothing is stored there that it could be compared with."
    wrong = ", ".join(f"{step:,}" for step, same in replay.checkpoints.items() if not same)
    what = replay.first_difference or f"the state of step {wrong}"
    return (
        f"{begin}IT IS NOT THE SAME RUN. {replay.different:,} of {replay.compared:,} stored readings differ, first "
        f"{what}. Another machine or version computes other bits; what follows describes the replay."
    )


def fork_sentence(fork: Fork) -> str:
    """What became of the jump."""
    if fork.jumps is None:
        return f"not tried: {fork.note}"
    if not fork.jumps:
        return f"no jump until step {fork.until_step:,}; highest {fork.highest:.3g}"
    top = "" if fork.highest is None else f", highest {fork.highest:.3g}"
    return f"jumps, half way up at step {fork.at_step:,}{top}" + (f" ({fork.note})" if fork.note else "")


def depends(forks: list[Fork]) -> str:
    """What the forks say together."""
    gone = [fork.changed for fork in forks if fork.jumps is False]
    stays = [fork.changed for fork in forks if fork.jumps]
    parts = []
    if gone:
        parts.append(f"The jump depends on what these change; with them there is none in that time: {', '.join(gone)}.")
    if stays:
        parts.append(f"It does not depend on what these change: {', '.join(stays)}.")
    return " ".join(parts) or "None of the forks could be tried."


def headline(found: Explanation) -> str:
    """What jumped, when, how far, and what validation did meanwhile."""
    text = (
        f"{found.reading} jumped from {found.before:.4g} at step {found.onset_step:,} to {found.top:.4g} at step "
        f"{found.top_step:,}"
    )
    if found.val_before is not None and found.val_top is not None:
        way = "dropped" if found.val_top < found.val_before else "rose"
        text += f", while the validation loss {way} from {found.val_before:.4g} to {found.val_top:.4g}"
    return text + "."


def _conclusion(found: Explanation) -> str:
    survivors, untested = found.surviving, [f for f in found.findings if f.verdict == "not testable here"]
    if not survivors:
        text = "None of the seven explanations survives what was read"
    else:
        text = f"What survives: {', '.join(f'({finding.letter})' for finding in survivors)}"
    if untested:
        text += f"; not testable here: {', '.join(f'({finding.letter})' for finding in untested)}"
    if survivors and not found.forks:
        return text + ". Readings cannot tell cause from company: --forks trains the stretch with one thing changed."
    return text + "."


def _paragraph(text: str, indent: str = "") -> list[str]:
    return wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent + ("    " if not indent else "  "))
