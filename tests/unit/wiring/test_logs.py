"""Logs as JSON lines and for people: with details, without keys."""

import json
import logging
import sys

import pytest

from tokenworth.wiring.logs import TEXT, Json, Plain

KEY = "tw_sdgXddUot_9q7STqgChzmHpxvk0qy0vkeHs10jTLcC4"
SECRETS = (KEY, "sk-ant-api03-abcdefghijklmnop", "Bearer eyJhbGciOiJIUzI1NiJ9.e30.abc")


def record(text: str, *args: object, error: bool = False, **told: object) -> logging.LogRecord:
    info = None
    if error:
        try:
            int(KEY)
        except ValueError:
            info = sys.exc_info()
    made = logging.LogRecord("tokenworth.x", logging.WARNING, __file__, 1, text, args, info)
    made.created = 1_790_000_000.25
    if told:
        made.told = told
    return made


def test_a_line_is_an_object() -> None:
    line = json.loads(Json().format(record("%s %s", "POST", "/v1", status=200, event="01K")))
    assert line == {
        "time": "2026-09-21T14:13:20.250Z",
        "level": "WARNING",
        "logger": "tokenworth.x",
        "message": "POST /v1",
        "status": 200,
        "event": "01K",
    }
    assert "\n" not in Json().format(record("two\nlines", error=True))


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("form", [Json(), Plain(TEXT)])
def test_no_key_is_logged(form: logging.Formatter, secret: str) -> None:
    line = form.format(record("refused %s", secret, error=True, detail=secret))
    assert secret not in line
    assert KEY not in line
    assert "[secret]" in line


def test_people_read_details_too() -> None:
    assert Plain(TEXT).format(record("done", status=200)).endswith("tokenworth.x: done status=200")
