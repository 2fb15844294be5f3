"""Ask a language model for what the rules leave open; off unless it is configured.

Any server that speaks OpenAI's chat completions will do. The answer must be one of the terms
that are allowed, with a quotation that occurs in the text; anything else is no answer. Every
prompt and answer is kept, by hash, and never asked twice.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from cleo_like.core.errors import InputError
from cleo_like.core.files import atomic_path
from cleo_like.io.metadata.waiting import named_wait

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

UNKNOWN = "unknown"
_PROMPT = (
    "Which brain region were the cells recorded in? Answer with one of the allowed terms, or "
    f"{UNKNOWN!r} when the text does not say it. Give as evidence the exact words of the text "
    "that say it. A region that is only projected to, or only mentioned, is not the answer."
)
_ATTEMPTS = 4
_LONGEST_WAIT = 60.0  # s
_LONGEST_ANSWER = 1 << 20
_NO_ANSWER = (
    OSError, http.client.HTTPException, ValueError, KeyError, IndexError, TypeError,
    RecursionError,
)  # fmt: skip


@attrs.frozen(kw_only=True)
class ModelSettings:
    """Where a language model answers.

    Parameters
    ----------
    base_url : str
        "http://127.0.0.1:8080" (the path /v1/chat/completions is added).
    model : str
        Its name there.
    key : str, optional
        Sent as a bearer token.
    timeout : float
        Seconds for one answer.
    """

    base_url: str
    model: str
    key: str | None = attrs.field(default=None, repr=False)
    timeout: float = 60.0

    def __attrs_post_init__(self) -> None:
        """Check the address."""
        if not self.base_url.startswith(("http://", "https://")):
            msg = f"base_url must begin with http:// or https://, got {self.base_url!r}"
            raise InputError(msg)


@attrs.frozen(kw_only=True)
class ModelAnswer:
    """What a model said, and whether it may be believed.

    Parameters
    ----------
    term : str, optional
        One of the allowed terms; None when there is no answer.
    evidence : str
        Words of the text.
    reason : str
        Why there is no answer.
    cached : bool
        Whether it was known from before.
    """

    term: str | None
    evidence: str = ""
    reason: str = ""
    cached: bool = False


def ask_region(
    text: str,
    allowed: Sequence[str],
    settings: ModelSettings,
    cache: str | Path,
    *,
    sleep: Callable[[float], Any] = time.sleep,
) -> ModelAnswer:
    """Ask for the region that a text names.

    Parameters
    ----------
    text : str
        Title, description, keywords.
    allowed : sequence of str
        Terms that may be answered.
    settings : ModelSettings
        The server.
    cache : path
        Folder of prompts and answers; one JSON file per question.
    sleep : callable
        Waits between attempts.

    Returns
    -------
    ModelAnswer
        Errors of the server are reasons, never exceptions.
    """
    body = _request(text, allowed, settings.model)
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    kept = Path(cache) / f"{digest}.json"
    known = _kept_answer(kept)
    if known is not None:
        return attrs.evolve(_judged(known, text, allowed), cached=True)
    raw, why = _sent(body, settings, sleep)
    if raw is None:
        return ModelAnswer(term=None, reason=why)
    with atomic_path(kept) as temporary:
        temporary.write_text(
            json.dumps({"prompt": body, "answer": raw}, indent=1, ensure_ascii=False), "utf-8"
        )
    return _judged(raw, text, allowed)


def _kept_answer(path: Path) -> str | None:
    """Give the answer that was kept; a file that was damaged since is as good as none."""
    try:
        answer = json.loads(path.read_text("utf-8"))["answer"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return answer if isinstance(answer, str) else None


def _request(text: str, allowed: Sequence[str], model: str) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {
            "region": {"type": "string", "enum": [*allowed, UNKNOWN]},
            "evidence": {"type": "string"},
        },
        "required": ["region", "evidence"],
        "additionalProperties": False,
    }
    return {
        "model": model,
        "temperature": 0,
        "seed": 0,
        "messages": [
            {"role": "system", "content": _PROMPT},
            {"role": "user", "content": f"Allowed: {', '.join(allowed)}\n\nText:\n{text}"},
        ],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "region", "strict": True, "schema": schema},
        },
    }


def _sent(
    body: dict[str, Any], settings: ModelSettings, sleep: Callable[[float], Any]
) -> tuple[str | None, str]:
    """Send the question until it is answered; give the text of the answer, or why not."""
    headers = {"Content-Type": "application/json"}
    if settings.key is not None:
        headers["Authorization"] = f"Bearer {settings.key}"
    url = settings.base_url.rstrip("/").removesuffix("/v1") + "/v1/chat/completions"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    why = ""
    for attempt in range(_ATTEMPTS):
        try:
            with urllib.request.urlopen(request, timeout=settings.timeout) as answer:
                told = json.loads(answer.read(_LONGEST_ANSWER))
            content = told["choices"][0]["message"]["content"]
            if isinstance(content, str):
                return content, ""
            why = "no answer (the message has no text)"
            wait = _wait(None, attempt)
        except urllib.error.HTTPError as error:
            why = f"the server answers {error.code}"
            if error.code not in (429, 500, 502, 503, 504):
                return None, why
            wait = _wait(error.headers.get("Retry-After"), attempt)
        except _NO_ANSWER as error:
            why = f"no answer ({type(error).__name__}: {error})"
            wait = _wait(None, attempt)
        if attempt + 1 < _ATTEMPTS:
            sleep(wait)
    return None, f"{why}, {_ATTEMPTS} times"


def _wait(told: str | None, attempt: int) -> float:
    named = named_wait(told)
    return float(2**attempt) if named is None else min(named, _LONGEST_WAIT)


def _judged(raw: str, text: str, allowed: Sequence[str]) -> ModelAnswer:
    """Believe an answer only when it is JSON, an allowed term, and quotes the text."""
    told = raw.strip()
    if told.startswith("```") and told.endswith("```") and "\n" in told:
        told = told.split("\n", 1)[1].removesuffix("```").strip()
    try:
        parsed = json.loads(told)
        region, evidence = parsed["region"], parsed["evidence"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ModelAnswer(term=None, reason=f"not the JSON that was asked for: {raw[:80]!r}")
    if not isinstance(region, str) or not isinstance(evidence, str):
        return ModelAnswer(term=None, reason="not the JSON that was asked for")
    if region == UNKNOWN:
        return ModelAnswer(term=None, reason="the model says that the text does not tell")
    if region not in allowed:
        return ModelAnswer(term=None, reason=f"{region!r} is none of the allowed terms")
    quote, source = (" ".join(t.split()).lower() for t in (evidence, text))
    if not quote or re.search(rf"(?<!\w){re.escape(quote)}(?!\w)", source) is None:
        return ModelAnswer(
            term=None, reason=f"the evidence {evidence[:60]!r} is not in the text"
        )
    return ModelAnswer(term=region, evidence=evidence)
