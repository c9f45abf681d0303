"""Half a character in a JSON text."""

from __future__ import annotations

import pytest

from auditkit.logs.surrogates import replaced


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (rb'{"a":"plain"}', rb'{"a":"plain"}'),
        (rb'{"a":"\ud83d\ude00"}', rb'{"a":"\ud83d\ude00"}'),  # a pair is a whole character
        (rb'{"a":"\uD83D\uDE00"}', rb'{"a":"\uD83D\uDE00"}'),
        (rb'{"a":"x\ud800y"}', rb'{"a":"x\ufffdy"}'),
        (rb'{"a":"x\udc00"}', rb'{"a":"x\ufffd"}'),
        (rb'{"a":"\ud800\ud83d\ude00"}', rb'{"a":"\ufffd\ud83d\ude00"}'),
        (rb'{"a":"\\ud800"}', rb'{"a":"\\ud800"}'),  # a backslash and five letters
        (rb'{"a":"\\\ud800"}', rb'{"a":"\\\ufffd"}'),
    ],
)
def test_only_what_stands_alone_is_replaced(text: bytes, expected: bytes) -> None:
    assert replaced(text) == expected
