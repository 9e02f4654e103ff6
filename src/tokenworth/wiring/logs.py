"""What a running gateway writes to its log: for people, or a JSON object a line. No prompt is ever logged; what looks like a key is blotted out."""

import logging
import re
from datetime import UTC, datetime
from typing import Any

import orjson

SECRET = re.compile(r"(?:\b(?:tw|sk)[-_]|\bbearer\s+)[A-Za-z0-9_.+/=-]{12,}", re.IGNORECASE)
"""Our keys, those of the large vendors, and whatever follows the word."""
TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class Plain(logging.Formatter):
    """A line for people."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record with its details, without secrets."""
        told: dict[str, Any] | None = getattr(record, "told", None)
        details = "".join(f" {name}={value}" for name, value in told.items()) if told else ""
        return without_secrets(super().format(record) + details)


class Json(logging.Formatter):
    """A JSON object: time (UTC), level, logger, message, the record's own details, and the traceback of an error."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line, without secrets."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line: dict[str, Any] = {"time": time, "level": record.levelname, "logger": record.name, "message": record.getMessage()}
        line |= getattr(record, "told", None) or {}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return without_secrets(orjson.dumps(line, default=str).decode())


def without_secrets(text: str) -> str:
    """Return a text with what looks like a key blotted out."""
    return SECRET.sub("[secret]", text)


def start_logs(form: str) -> None:
    """Log to standard error from INFO on, as `text` or `json`."""
    handler = logging.StreamHandler()
    handler.setFormatter(Json() if form == "json" else Plain(TEXT))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
