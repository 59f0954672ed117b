"""Read the rows of a data folder's files, naming file and line of whatever is wrong.

Files may be gzipped (``name.gz``) or plain. Every failure is a UsageError: the folder is what a person gave us.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tradetrail.errors import UsageError


def _refuse_constant(name: str) -> Any:
    """Refuse NaN and Infinity, which Python reads and JSON does not know."""
    raise ValueError(f"{name} is no JSON value")


# Made once: a decoder a line costs as much as the decoding.
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def one_file(folder: Path, name: str) -> Path:
    """Return ``folder/name.gz`` or ``folder/name``. Raises UsageError when neither exists."""
    for path in (folder / f"{name}.gz", folder / name):
        if path.is_file():
            return path
    raise missing(folder, name)


def all_files(folder: Path, pattern: str) -> list[Path]:
    """Return the files that match ``pattern`` or ``pattern.gz``, sorted by name.

    A gzipped file hides a plain one of the same name. Raises UsageError when none matches.
    """
    zipped = {path.name.removesuffix(".gz"): path for path in folder.glob(f"{pattern}.gz")}
    plain = {path.name: path for path in folder.glob(pattern)}
    found = {name: path for name, path in (plain | zipped).items() if path.is_file()}
    if not found:
        raise missing(folder, pattern)
    return [found[name] for name in sorted(found)]


def missing(folder: Path, name: str) -> UsageError:
    """Return the error for a file that the folder lacks, or for a folder that is none."""
    if not folder.is_dir():
        return UsageError(
            f"{folder} is not a folder; --data takes a folder of disclosures and prices"
        )
    return UsageError(
        f"the data folder {folder} lacks {name} (or {name}.gz); a folder needs congress_v1.jsonl, insiders.jsonl, "
        "committees_*.json, ohlcv*.csv and symbols.csv, each plain or gzipped"
    )


def broken(path: Path, line: int, what: str) -> UsageError:
    """Return the error for one bad line (counted from 1) of a file."""
    return UsageError(f"{path}, line {line}: {what}; mend or remove that line")


def read_text(path: Path) -> str:
    """Return a file's text. Raises UsageError when it can't be read, unpacked or decoded."""
    try:
        raw = path.read_bytes()
        content = gzip.decompress(raw) if path.suffix == ".gz" else raw
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"{path} can't be read ({error}); is it complete, and gzipped?") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise broken(path, line, f"not UTF-8 text ({error.reason})") from error


def read_json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, object) of a JSON-lines file; blank lines are passed over."""
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = _DECODER.decode(line)
        except ValueError as error:
            raise broken(path, number, f"not JSON ({error})") from error
        if not isinstance(row, dict):
            raise broken(path, number, f"a JSON object is wanted, not {type(row).__name__}")
        yield number, row


def read_json(path: Path) -> dict[str, Any]:
    """Return the one JSON object a file holds."""
    try:
        document = _DECODER.decode(read_text(path))
    except ValueError as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        raise broken(path, line, f"not JSON ({error})") from error
    if not isinstance(document, dict):
        raise broken(path, 1, f"a JSON object is wanted, not {type(document).__name__}")
    return document


def read_csv(
    path: Path, required: tuple[str, ...]
) -> Iterator[tuple[int, dict[str, int], list[str]]]:
    """Yield (line number, position of each column, values) of a CSV file with a header.

    Raises UsageError for a missing column and for a line with too few or too many values.
    """
    reader = csv.reader(io.StringIO(read_text(path)), strict=True)
    position: dict[str, int] = {}
    try:
        for values in reader:
            if not values:
                continue
            if not position:
                position = {name.strip(): index for index, name in enumerate(values)}
                for name in required:
                    if name not in position:
                        raise broken(path, reader.line_num, f"the header lacks the column {name!r}")
                continue
            if len(values) != len(position):
                what = f"{len(values)} values where the header has {len(position)} columns"
                raise broken(path, reader.line_num, what)
            yield reader.line_num, position, values
    except csv.Error as error:
        raise broken(path, reader.line_num, f"not CSV ({error})") from error
    if not position:
        raise broken(path, 1, "the header is missing: the file is empty")
