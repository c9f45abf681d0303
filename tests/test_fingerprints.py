"""What tells one event from another."""

from __future__ import annotations

import pyarrow as pa
import pytest

from auditkit.fingerprints import fingerprints

UUIDS = ["6b1e7d6a-3f0c-4c59-9a44-0d9f1c2b3a41", "00000000-0000-0000-0000-000000000000"]


def numbers(ids: list[str], accounts: list[str | None]) -> list[tuple[int, int]]:
    prints = fingerprints(pa.array(ids, pa.string()), pa.array(accounts, pa.string()))
    return [(int(high), int(low)) for high, low in zip(prints.high, prints.low, strict=True)]


def test_a_uuid_is_its_own_number() -> None:
    number = int(UUIDS[0].replace("-", ""), 16)
    assert numbers(UUIDS[:1], [None]) == [(number >> 64, number & (1 << 64) - 1)]


@pytest.mark.parametrize("company", ["x", "sha256:00ff", UUIDS[0].upper(), UUIDS[0][:-1], UUIDS[0].replace("-", "+")])
def test_an_id_has_the_same_number_beside_ids_of_any_shape(company: str) -> None:
    alone, together = numbers(UUIDS, ["1", "2"]), numbers([*UUIDS, company], ["1", "2", "3"])
    assert together[:2] == alone
    assert len(set(together)) == 3


def test_the_account_counts_and_a_missing_one_does_not_fail() -> None:
    same = [UUIDS[0]] * 4
    first, second, third, again = numbers(same, ["111122223333", "444455556666", None, "111122223333"])
    assert len({first, second, third}) == 3
    assert first == again


def test_a_column_in_pieces_and_a_dictionary_are_the_same() -> None:
    whole = fingerprints(pa.array(UUIDS), pa.array(["1", "2"]))
    pieces = fingerprints(pa.chunked_array([UUIDS[:1], UUIDS[1:]]), pa.array(["1", "2"]).dictionary_encode())
    sliced = fingerprints(pa.array(["x", *UUIDS]).slice(1), pa.array(["0", "1", "2"]).slice(1))
    assert [list(half) for half in whole] == [list(half) for half in pieces] == [list(half) for half in sliced]
