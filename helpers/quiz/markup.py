"""Texts of the bank as HTML: everything is escaped, and backticks become code.

Colours are JupyterLab's variables. Elsewhere text keeps the page's own colour, so that it also reads on a dark page.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from helpers.quiz.feedback import Feedback, Remark

_CODE = re.compile(r"`([^`]+)`")
_GREEN = "var(--jp-success-color1, #388e3c)"
_RED = "var(--jp-error-color1, #d32f2f)"
_GREY = "var(--jp-border-color1, #999)"


def inline(text: str) -> str:
    """One text of the bank: escaped, with backticks as code."""
    return _CODE.sub(r"<code>\1</code>", html.escape(text))


def paragraphs(text: str) -> str:
    """A text of the bank whose blank lines part paragraphs."""
    return "".join(f"<p>{inline(part.strip())}</p>" for part in re.split(r"\n\s*\n", text))


def code_block(code: str) -> str:
    """Code as it stands."""
    return f"<pre><code>{html.escape(code)}</code></pre>"


def feedback(told: Feedback) -> str:
    """What the text twin says, in the same words."""
    colour = _GREEN if told.correct else _RED
    parts = [
        f"<div><b>{_mark(told.mark)} {html.escape(told.summary)}</b></div>",
        _remarks("Your answer:", told.own),
        _remarks("The others:", told.others) if told.others else "",
        f"<div>Read more: {link(told.docs)}</div>",
    ]
    style = f"border-left: 4px solid {colour}; padding: 2px 0 2px 12px; margin: 4px 0; line-height: 1.5"
    return f'<div style="{style}" data-correct="{str(told.correct).lower()}">{"".join(parts)}</div>'


def link(address: str) -> str:
    """A link that opens beside the notebook."""
    safe = html.escape(address)
    return f'<a href="{safe}" target="_blank" rel="noopener noreferrer">{safe}</a>'


def _remarks(heading: str, remarks: Iterable[Remark]) -> str:
    return f'<div style="margin-top: 6px">{heading}</div>' + "".join(map(_remark, remarks))


def _remark(remark: Remark) -> str:
    label = f"<code>{html.escape(remark.label)}</code>" if remark.typed else inline(remark.label)
    letter = f"{remark.letter}) " if remark.letter else ""
    colour = _GREEN if remark.right else _GREY
    style = f"border-left: 2px solid {colour}; padding-left: 8px; margin: 4px 0 4px 2px"
    return (
        f'<div style="{style}"><div>{_mark(remark.mark)} {letter}{label}</div>'
        f'<div style="padding-left: 18px">{inline(remark.why)}</div></div>'
    )


def _mark(mark: str) -> str:
    word = "right" if mark == "✓" else "wrong"
    return f'<span role="img" aria-label="{word}">{mark}</span>'
