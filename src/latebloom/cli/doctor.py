"""latebloom doctor."""

from __future__ import annotations

import platform
import sys
import time
from pathlib import Path

import click

from ..base.errors import StoreError
from .options import STORE


@click.command()
@STORE
def command(store: Path) -> None:
    """Whether this machine is fit to train on, what decides its bits, and how fast it is."""
    from importlib.metadata import PackageNotFoundError, version

    import psutil

    click.echo(f"latebloom  {version('latebloom')} on Python {sys.version.split()[0]}, {platform.platform()}")
    click.echo(f"cores      {psutil.cpu_count(logical=False)} physical, {psutil.cpu_count()} logical")
    click.echo(f"memory     {psutil.virtual_memory().available / 2**30:.1f} GiB free")
    broken = []
    for package in ("torch", "numpy", "scipy", "pydantic", "omegaconf", "safetensors", "matplotlib", "rich", "click"):
        try:
            click.echo(f"{package.ljust(10)} {version(package)}")
        except PackageNotFoundError:
            broken.append(f"{package} is missing: pip install {package}")
    if not broken:
        from ..engine import fingerprint, prepare
        from ..store import durable

        prepare(threads=1)
        for key, value in fingerprint(compiled=False).items():
            click.echo(f"  {key}: {value}")
        try:
            durable.make_folder(store)
            began = time.perf_counter()
            durable.replace(store / ".doctor", b"can be written")
            durable.remove(store / ".doctor")
            click.echo(
                f"store      {store.resolve()}: a durable write takes {1e3 * (time.perf_counter() - began):.1f} ms"
            )
        except StoreError as error:
            broken.append(str(error))
    for one in broken:
        click.echo(f"broken     {one}", err=True)
    sys.exit(5 if broken else 0)
