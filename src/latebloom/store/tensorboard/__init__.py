"""TensorBoard's event files, read and written without TensorBoard."""

from .files import event_files, find_runs
from .names import tag_of
from .read import ScalarReader, Scalars, read_scalars
from .write import EventWriter, export

__all__ = [
    "EventWriter",
    "ScalarReader",
    "Scalars",
    "event_files",
    "export",
    "find_runs",
    "read_scalars",
    "tag_of",
]
