"""latebloom mheight FILE."""

from __future__ import annotations

import json
import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .options import JSON

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ..datasets.course_pickle import Sample

MOST_SHOWN = 20
PICKLES = (".pkl", ".pickle")
SAME = 1e-6  # labels of a solver are off by about 1e-9


@click.command()
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--m", "ms", metavar="M,M,...", help="Only these m; otherwise all of them.")
@click.option("--generator", is_flag=True, help="The file holds G whole, not P of G = [I | P].")
@click.option("--exact", is_flag=True, help="Take real numbers as the fractions they are stored as, without tolerance.")
@click.option("--bounds", "enclosed", is_flag=True, help="Enclose each height instead: for codes too large otherwise.")
@click.option(
    "--check", type=click.Path(path_type=Path, dir_okay=False), metavar="HEIGHTS.pkl", help="Check labels of a pickle."
)
@JSON
def command(
    path: Path, ms: str | None, generator: bool, exact: bool, enclosed: bool, check: Path | None, as_json: bool
) -> None:
    """The exact m-heights of linear codes: all m of one matrix, or of a stack of them.

    \b
    FILE.npy   P of G = [I | P], (k, n - k), or a stack (matrices, k, n - k); also FILE.npz with one array
    FILE.txt   one such matrix, a row a line between blanks or commas, or [[...], [...]]
    FILE.pkl   a course's list of [n, k, m, P]; nothing in it is run
    """
    from ..base.errors import DataError, SpecError

    if path.suffix in PICKLES:
        if ms or generator or enclosed:
            raise SpecError(
                "a pickle says for itself what its matrices and m are: leave --m, --generator, --bounds out"
            )
        _of_pickle(path, check, exact, as_json)
        return
    if check:
        raise SpecError(f"--check compares with the labels of a pickle of samples; {path} is none")
    from ..datasets.matrices import read

    P = read(path)
    if P.ndim == 3 and not len(P):
        raise DataError(f"{path} holds no matrix: a stack of shape {P.shape}")
    if enclosed:
        _enclosed(P, generator, ms, as_json)
        return
    from ..algebra.analog_codes import heights, heights_of_generator

    with warnings.catch_warnings(record=True) as remarks:
        found = (heights_of_generator if generator else heights)(P, exact=exact)
    for remark in remarks:
        click.echo(f"Note: {remark.message}", err=True)
    n = found.shape[-1]
    k = P.shape[-2]
    wanted = _numbers(ms, n)
    if not generator and P.shape[-1] > k and _starts_with_identity(P):
        click.echo("The matrices begin with an identity: if the file holds G, not P, add --generator.", err=True)
    if as_json:
        told = {"schema": 1, "n": n, "k": k, "m": wanted, "heights": _said(found[..., wanted].tolist())}
        click.echo(json.dumps(told))
        return
    click.echo(f"[n, k] = [{n}, {k}]" + (f", {len(found):,} codes" if found.ndim == 2 else ""))
    if found.ndim == 1:
        click.echo("  m  h_m")
        for m in wanted:
            click.echo(f"{m:>3}  {_number(found[m])}")
        return
    click.echo("code" + "".join(f"{f'h_{m}':>14}" for m in wanted))
    for number, row in enumerate(found[:MOST_SHOWN]):
        click.echo(f"{number:>4}" + "".join(f"{_number(row[m]):>14}" for m in wanted))
    if len(found) > MOST_SHOWN:
        click.echo(f"... {len(found) - MOST_SHOWN:,} more; --json has all")


def _enclosed(P: NDArray[Any], generator: bool, ms: str | None, as_json: bool) -> None:
    """Say the bounds of every height asked for, of one matrix."""
    import numpy as np

    from ..algebra.analog_codes import bounds
    from ..algebra.analog_codes.entries import matrices

    stack, one = matrices(P)
    rows = []
    for matrix in stack:
        G = matrix if generator else np.concatenate([np.eye(len(matrix)), matrix], axis=1)
        n, k = G.shape[1], G.shape[0]
        wanted = range(1, max(n - k, 1) + 1) if ms is None else _numbers(ms, n)
        with np.errstate(over="ignore", invalid="ignore"):  # codewords beyond float64 bound nothing
            rows.append([(m, *bounds(G, m)) for m in wanted])
    if as_json:
        told = [[{"m": m, "lower": _said(low), "upper": _said(up)} for m, low, up in row] for row in rows]
        click.echo(json.dumps({"schema": 1, "bounds": told[0] if one else told}))
        return
    for number, row in enumerate(rows):
        for m, lower, upper in row:
            code = "" if one else f"code {number}: "
            click.echo(f"{code}{_number(lower)} <= h_{m} <= {_number(upper)}")


def _of_pickle(path: Path, check: Path | None, exact: bool, as_json: bool) -> None:
    """Say the height of every sample of a course's pickle, or how many of its labels are right."""
    import numpy as np

    from ..base.errors import DataError
    from ..datasets import course_pickle

    samples = course_pickle.read_samples(path)
    found = _heights_of(samples, exact)
    if check is None:
        if as_json:
            rows = [
                {"n": one.n, "k": one.k, "m": one.m, "height": _said(h)}
                for one, h in zip(samples, found.tolist(), strict=True)
            ]
            click.echo(json.dumps({"schema": 1, "samples": rows}))
            return
        for one, h in zip(samples[:MOST_SHOWN], found[:MOST_SHOWN], strict=True):
            click.echo(f"h_{one.m} of [{one.n}, {one.k}]  {_number(h)}")
        if len(samples) > MOST_SHOWN:
            click.echo(f"... {len(samples) - MOST_SHOWN:,} more; --json has all")
        return
    labels = course_pickle.read_heights(check)
    if len(labels) != len(samples):
        raise DataError(f"{check} has {len(labels):,} heights for {len(samples):,} samples of {path}")
    right = np.isclose(labels, found, rtol=SAME, atol=0)
    infinite = ~right & np.isinf(found)
    told = {
        "labels": len(labels),
        "right": int(right.sum()),
        "finite where the height is infinite": int(infinite.sum()),
        "wrong": int((~right & ~infinite).sum()),
        "first of them": np.flatnonzero(~right)[:MOST_SHOWN].tolist(),
    }
    click.echo(json.dumps({"schema": 1, **told}) if as_json else "\n".join(f"{k}: {v}" for k, v in told.items()))


def _heights_of(samples: Sequence[Sample], exact: bool) -> NDArray[Any]:
    """The height of each sample, those of one code together."""
    import numpy as np

    from ..algebra.analog_codes import heights

    found = np.empty(len(samples))
    codes: dict[tuple[int, int], list[int]] = {}
    for number, one in enumerate(samples):
        codes.setdefault((one.n, one.k), []).append(number)
    for numbers in codes.values():
        every = heights(np.stack([np.asarray(samples[i].P, dtype=np.float64) for i in numbers]), exact=exact)
        found[numbers] = every[np.arange(len(numbers)), [samples[i].m for i in numbers]]
    return found


def _numbers(ms: str | None, n: int) -> list[int]:
    """The m asked for.

    Raises:
        DataError: One is no number, or out of range.
    """
    from ..base.errors import DataError

    if ms is None:
        return list(range(1, n))
    words = ms.replace(",", " ").split()
    if not words:
        raise DataError(f"--m names no number; expected numbers from 1 to n - 1 = {n - 1}, e.g. --m 2,3")
    if wrong := [word for word in words if not word.isdecimal() or not 1 <= int(word) < n]:
        raise DataError(f"--m {wrong[0]}: expected numbers from 1 to n - 1 = {n - 1}")
    return [int(word) for word in words]


def _starts_with_identity(P: NDArray[Any]) -> bool:
    import numpy as np

    return bool((P[..., : P.shape[-2]] == np.eye(P.shape[-2])).all())


def _number(height: float) -> str:
    return f"{height:.9g}" if math.isfinite(height) else "infinite"


def _said(heights: Any) -> Any:
    """As JSON can say it, which has no infinity: the word that both Python's float and JavaScript's Number read."""
    if isinstance(heights, list):
        return [_said(one) for one in heights]
    return heights if math.isfinite(heights) else "Infinity"
