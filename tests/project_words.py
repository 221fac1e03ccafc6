"""What users fill in, field by field: usual words, and the worst that each field takes."""

from __future__ import annotations

from dataclasses import dataclass, fields

from assay.model import experiment_rules, score_rules, session_rules

MARK = "x-made"
"""An element of this name would have been made out of what users wrote."""


@dataclass(frozen=True, kw_only=True)
class Words:
    """A text for every field.

    Attributes:
        output: what a run gave; like `message`, `said` and `attribute` it is kept exactly, so that
            it may hold what no column of text can.
    """

    event: str = "ticket.created"
    waited: str = "feedback.received"
    datum: str = "I forgot my password."
    key: str = "order-42"
    session_key: str = "ticket_id"
    session_id: str = "tk_123"
    app: str = "support"
    function: str = "answer-ticket"
    step: str = "generate-answer"
    scorer: str = "feedback-scorer"
    score: str = "answer-quality"
    rating: str = "user-rating"
    rationale: str = "It names the page."
    author: str = "ada"
    experiment: str = "answer-style"
    tried: str = "answer-length"
    control: str = "concise"
    variant: str = "detailed"
    unit: str = "account"
    reason: str = "the scorer never got an answer"
    decision: str = "concise stays"
    stop_reason: str = "better at the end of the plan"
    error_type: str = "TimeoutError"
    message: str = "the model did not answer"
    output: str = "Open the settings."
    span: str = "chat model"
    span_message: str = "429 from the model"
    attribute: str = "gpt"
    said: str = "How do I sign in?"
    tool: str = "look_up"


EXACT = frozenset({"datum", "message", "output", "attribute", "said", "rationale"})
_LEAST = {
    "session_key": session_rules.MAX_KEY_BYTES,
    "score": score_rules.MAX_NAME_BYTES,
    "rating": score_rules.MAX_NAME_BYTES,
    "experiment": experiment_rules.MAX_NAME_BYTES,
    "tried": experiment_rules.MAX_NAME_BYTES,
    "control": experiment_rules.MAX_NAME_BYTES,
    "variant": experiment_rules.MAX_NAME_BYTES,
}
_LONG = 200
_SHORT = f'\u202e\N{ARABIC LETTER BEH}\N{GRINNING FACE}"/%2F?#<{MARK} id=m>'
_MORE = (
    f"'&amp;{{{{ 7*7 }}}}<script>alert(1)</script><img src=x onerror=alert(1)></{MARK}>"
    "\u2066\N{ARABIC LETTER SEEN}\N{ARABIC LETTER LAM}\N{FAMILY}${x}\\"
)


def hostile() -> Words:
    """Markup, quotes, braces, slashes, marks that turn text, emoji, Arabic, up to 200 characters.

    Null characters and lone surrogates where JSON text keeps them.
    """
    return Words(**{field.name: _worst(field.name) for field in fields(Words)})


def _worst(field: str) -> str:
    text = f"{field} {_SHORT}"
    if field in _LEAST:
        if field not in {"score", "rating"}:
            text += "'"
        # Filled up to the last byte.
        return text + "W" * (_LEAST[field] - len(text.encode()))
    if field in EXACT:
        text += "\0\ud800"
    text += _MORE
    return text + "W" * (_LONG - len(text))
