"""The blocks of a review: each step has its word besides its colour, and its place to be found at."""

from __future__ import annotations

import pytest

from auditkit.errors import ReportError
from auditkit.report import blocks
from auditkit.report.block import Block
from auditkit.report.markup import coded
from auditkit.report.preview import preview
from tests.report_samples import HOSTILE
from tests.test_render import page


def made(text: str = "open") -> list[Block]:
    return [
        blocks.checklist([(1, text, "bad", text), (2, "Logs", "cannot_tell", "Nothing is known.")]),
        blocks.step(
            1,
            text,
            "bad",
            [("bad", text), ("good", "The rest is shut.")],
            why_it_matters=text,
            cannot_show=text,
            what_to_do=[f"Shut it: `aws ec2 shut {text}`", text],
            pci=["1.2.5"],
        ),
    ]


@pytest.mark.parametrize(
    ("verdict", "word"),
    [("bad", "bad"), ("attention", "needs attention"), ("cannot_tell", "cannot tell"), ("good", "good")],
)
def test_every_verdict_is_said_in_a_word(verdict: str, word: str) -> None:
    shown = page(blocks.checklist([(1, "Doors", verdict, "Seen.")]))
    assert (word in shown.text, f"badge {verdict}" in shown.attributes("span", "class")) == (True, True)


def test_an_unknown_verdict_is_refused() -> None:
    with pytest.raises(ReportError, match=r"'fine' is not a verdict of a step\. Use one of bad, attention"):
        blocks.checklist([(1, "Doors", "fine", "Seen.")])
    with pytest.raises(ReportError, match="'fine' is not a verdict"):
        blocks.step(1, "Doors", "good", [("fine", "Seen.")], why_it_matters="", cannot_show="")


def test_a_step_is_led_to_and_says_everything_it_has() -> None:
    shown = page("## 1 Doors", *made())
    assert "#step-1" in shown.attributes("a", "href")
    assert shown.ids.count("step-1") == 1
    for text in ("What to do next", "Why it matters", "What the logs cannot show here", "PCI DSS", "1.2.5", "bad"):
        assert text in shown.text
    assert "aws ec2 shut open" in shown.text
    assert "`" not in shown.text


def test_nothing_to_do_is_said() -> None:
    shown = page(blocks.step(1, "Doors", "good", [("good", "Shut.")], why_it_matters="", cannot_show=""))
    assert "Nothing now." in shown.text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    shown = page(*made(text))
    assert not {tag for tag, _ in shown.tags} & {"img", "svg"}
    assert len([kind for kind, _ in shown.scripts if kind is None]) == len(
        [kind for kind, _ in page(*made()).scripts if kind is None]
    )
    assert not any(value and "pwned" in value for value in shown.attributes("a", "href"))
    for block in made(text):
        assert "<script>" not in preview(block.kind, block.data)


def test_secrets_in_sentences_are_masked() -> None:
    shown = made("aws_secret_access_key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    assert "wJalrXUtnFEMI" not in str([block.data for block in shown])


def test_words_between_backticks_are_commands() -> None:
    assert coded("see `a <b>` & `c`") == "see <code>a &lt;b&gt;</code> &amp; <code>c</code>"
    assert coded("none") == "none"
