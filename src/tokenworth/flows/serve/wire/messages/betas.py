"""Which of Anthropic's betas go to the supplier: those that change neither limits nor rates. Others could make a request dearer than its hold."""

from collections.abc import Mapping

from tokenworth.flows.serve.wire.ask import Ask

HEADER = "anthropic-beta"
PASSED = (
    "claude-code-",
    "context-management-",
    "effort-",
    "extended-cache-ttl-",
    "fine-grained-tool-streaming-",
    "interleaved-thinking-",
    "prompt-caching-",
    "structured-outputs-",
    "token-efficient-tools-",
    "tool-examples-",
)
"""How their names begin; a date follows."""


def passed_on(ask: Ask) -> Mapping[str, str]:
    """Return the header with the betas that are passed on, none where there are none."""
    named = [name.strip() for name in ask.betas.split(",")]
    kept = ",".join(name for name in named if name.startswith(PASSED))
    return {HEADER: kept} if kept else {}
