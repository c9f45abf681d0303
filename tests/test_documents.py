"""JSON in blocks: wherever a block ends, the same elements come out as of the whole text."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import astuple

from auditkit.errors import UnreadableFileError
from auditkit.ingest import ingest
from auditkit.logs import cloudtrail, documents
from auditkit.logs.parsed import NotALogError
from auditkit.store import Store
from tests.records import record, trail
from tests.test_forms import FORMS

A, B, C, D = (record(name) for name in "abcd")
Read = tuple[list[Any], list[bytes], list[tuple[int, str, bytes]], int] | str


def blocks(text: bytes, *sizes: int) -> Iterator[bytes]:
    """The text in blocks of about these sizes, over and over, of whole UTF-8 characters."""
    at = number = 0
    while at < len(text):
        end = at + sizes[number % len(sizes)]
        while end < len(text) and text[end] & 0xC0 == 0x80:
            end += 1
        yield text[at:end]
        at, number = end, number + 1


def read(text: bytes, *sizes: int) -> Read:
    """Records, flow-log lines, bad records with their places, and how many are set apart; or the error."""
    try:
        found = list(cloudtrail.read(blocks(text, *(sizes or (len(text),)))))
    except (UnreadableFileError, NotALogError) as error:
        return type(error).__name__
    return (
        [told(one) for some in found for one in some.records],
        [line for some in found for line in some.flow_lines],
        [(bad.position, bad.reason, bad.text) for some in found for bad in some.bad],
        sum(some.set_apart for some in found),
    )


def told(one: cloudtrail.Record) -> list[Any]:
    return [bytes(value) if isinstance(value, msgspec.Raw) else value for value in (*astuple(one), one.unknown)]


def backwards(one: dict[str, Any]) -> dict[str, Any]:
    """The same record, its last member first: nothing at its beginning tells where a record begins."""
    return dict(reversed(one.items()))


TRICK = record("t", userAgent='x"},{"eventVersion": "1.11"', errorMessage='}]}{"Records":[' * 9)
SURROGATE = record("s", userAgent="\ud83d", errorMessage="\U0001f600é" * 40)
MIXED = [A, backwards(B), TRICK, SURROGATE, {}, None, 12_345_678, "text", record("x", eventTime="?"), C]
DOCUMENTS = {
    "trail": trail(*MIXED),  # type: ignore[arg-type]
    "trail, not escaped": json.dumps({"Records": [A, B | {"userAgent": "é€😀" * 60}, C]}, ensure_ascii=False).encode(),
    "trail, pretty-printed": json.dumps({"Records": MIXED}, indent=3).encode(),
    "records that begin differently": trail(
        *(each if n % 2 else backwards(each) for n, each in enumerate([A, B, C, D]))
    ),
    "members behind the list": json.dumps({"Records": [A, B, 3], "Next": [C, D], "of": {"Records": [C]}}).encode(),
    "members before the list": json.dumps({"Version": [C], "Records": [A, B, 3]}).encode(),
    "array": json.dumps(MIXED).encode(),
    "arrays, one a line": b"\n".join(json.dumps(some).encode() for some in ([A, B], [], [C, 3], [D])),
    "arrays, joined": json.dumps([A, 3]).encode() + json.dumps([B]).encode(),
    "trails, joined": trail(A, B, 3) + trail(C) + trail(*MIXED) + trail(D),  # type: ignore[arg-type]
    "trails, one a line": b"\n".join([trail(A, B), trail(), trail(C, 3), trail(D)]),  # type: ignore[arg-type]
    "lines": b"\n".join(json.dumps(each).encode() for each in (A, {}, backwards(B), TRICK, SURROGATE)),
    "objects, joined": b"".join(json.dumps(each).encode() for each in (A, {}, backwards(B), TRICK, SURROGATE)),
    "objects, pretty-printed": b"\n".join(json.dumps(each, indent=2).encode() for each in (A, {}, B, TRICK, SURROGATE)),
    "numbers without end": trail(A, 1, 10**300, -7.25, B)[:-2] + b" ] }",  # type: ignore[arg-type]
    "a number too long for Python": trail(SURROGATE, {"n": "HERE"}, A).replace(b'"HERE"', b"9" * 5_000),
    "not a number": trail(A, {"n": "HERE"}, B).replace(b'"HERE"', b"NaN"),
    "nothing but objects of others": b"\n".join(b'{"level": "info", "n": %d}' % n for n in range(30)),
}
BROKEN = {
    "no comma": trail(A, B, C).replace(b"}, {", b"} {", 1),
    "two commas": trail(A, B, C).replace(b"}, {", b"},, {", 1),
    "a comma too many at the end": trail(A, B, C)[:-2] + b",]}",
    "a comma too many at the beginning": trail(A, B).replace(b"[", b"[,", 1),
    "words behind the list": trail(A, B, C)[:-1] + b" words}",
    "words behind an array": json.dumps([A, B, C]).encode() + b" words",
    "words behind the document": trail(A, B, C) + b" words",
    "cut short": trail(A, B, C)[:-1],
    "cut short, array": json.dumps([A, B, C]).encode()[:-1],
    "cut short, second document": trail(A, B) + trail(C)[:-20],
    "cut short, in an object": json.dumps([A, B, C]).encode()[:-80],
    "words between lines": b"\n".join([json.dumps(A).encode(), b"words", json.dumps(B).encode()]),
}


@pytest.mark.parametrize("size", [61, 200, 777, 1_500])
@pytest.mark.parametrize("name", [*DOCUMENTS, *BROKEN])
def test_blocks_give_what_the_whole_text_gives(name: str, size: int) -> None:
    text = (DOCUMENTS | BROKEN)[name]
    whole = read(text)
    assert (whole == "UnreadableFileError") == (name in BROKEN)
    assert read(text, size) == whole


@pytest.mark.parametrize("name", [name for name, form in FORMS.items() if form[0][:1] in b"{[" and form[1] + form[2]])
def test_every_form_may_come_in_blocks(name: str) -> None:
    text = FORMS[name][0]
    for size in (97, 400):
        assert read(text, size) == read(text)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=9)
    | st.sampled_from(['}]},{"', "\\", '"\ud800']),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
RECORDS = st.lists(
    st.builds(
        lambda more, turned: backwards(A | more) if turned else A | more,
        st.dictionaries(st.text(max_size=3), JSON, max_size=3),
        st.booleans(),
    )
    | JSON,
    max_size=7,
)


def written(documents: list[list[Any]], form: str, *, indent: int | None, is_ascii: bool) -> bytes:
    def dump(value: Any) -> bytes:
        text = json.dumps(value, indent=indent, ensure_ascii=is_ascii)
        return text.encode("utf-8", "replace")  # half a character has no bytes of its own

    if form == "trails":
        return b"".join(dump({"Records": one, "NextToken": one[:1]}) for one in documents)
    if form == "arrays":
        return b"\n".join(dump(one) for one in documents)
    objects = [one for records in documents for one in records if isinstance(one, dict)]
    return (b"\n" if form == "lines" else b"").join(dump(one) for one in objects)


@settings(max_examples=150)
@given(
    st.lists(RECORDS, min_size=1, max_size=3),
    st.sampled_from(["trails", "arrays", "lines", "objects"]),
    st.sampled_from([None, None, 0, 2]),
    st.booleans(),
    st.lists(st.integers(16, 900), min_size=1, max_size=4),
)
def test_any_document_may_come_in_any_blocks(
    several: list[list[Any]], form: str, indent: int | None, is_ascii: bool, sizes: list[int]
) -> None:
    text = written(several, form, indent=indent, is_ascii=is_ascii)
    if text.strip():
        assert read(text, *sizes) == read(text)


def test_a_document_cut_anywhere_is_refused_in_blocks_and_whole() -> None:
    for seed in range(60):
        rng = random.Random(seed)
        text = rng.choice(
            [
                trail(A, TRICK, SURROGATE),
                json.dumps([A, B, TRICK]).encode(),
                json.dumps({"Records": [A, B]}, indent=1).encode(),
            ]
        )
        cut = text[: rng.randrange(40, len(text) - 1)].rstrip()
        assert read(cut) == read(cut, rng.randrange(20, 500)) == "UnreadableFileError", cut[-40:]


def test_what_never_ends_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """And a document of any length is, one record after the other."""
    monkeypatch.setattr(documents, "MOST_HELD", 3_000)
    many = [record(str(n)) for n in range(200)]
    for text in (trail(*many), json.dumps(many).encode(), b"".join(json.dumps(each).encode() for each in many)):
        assert len(read(text, 400)[0]) == 200
    endless = b'{"Records":[{"eventID":"' + "é".encode() * 4_000
    with pytest.raises(UnreadableFileError, match="no object ends in"):
        list(cloudtrail.read(blocks(endless, 401)))


@pytest.mark.parametrize(
    "name", ["trail", "trails, joined", "lines", "no comma", "words behind the document", "cut short"]
)
def test_a_store_is_the_same_however_its_files_are_cut(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a file that breaks anywhere, however far behind, no record is in the store."""
    path = tmp_path / "log.json"
    path.write_bytes((DOCUMENTS | BROKEN)[name])

    def stored(folder: str) -> tuple[Any, ...]:
        store = Store(tmp_path / folder, create=True)
        report = ingest(store, [path])
        rows = [row for part in store.parts()["cloudtrail_events"] for row in pq.ParquetFile(part).read().to_pylist()]
        books = store.books()
        del books["by_state"], books["troubled"]  # the reason may name another place
        assert (report.quarantined, len(rows)) == (1, 0) if name in BROKEN else report.quarantined == 0
        return sorted(rows, key=lambda row: row["event_id"]), books

    whole = stored("whole")
    monkeypatch.setattr("auditkit.logs.opening._READ_BYTES", 300)
    monkeypatch.setattr("auditkit.logs.opening.BLOCK_BYTES", 400)
    monkeypatch.setattr("auditkit.batches.CHUNK_RECORDS", 2)
    assert stored("in blocks") == whole
