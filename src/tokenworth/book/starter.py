"""The commented starter book: it runs with the simulated supplier, so without a key and without a network."""

from importlib.resources import files
from pathlib import Path

from tokenworth.core.errors import InputError

STARTER = ("book.toml", "suppliers.toml", "products.toml", "cards.toml", "plans.toml", "demo.toml")


def starter_files() -> dict[str, str]:
    """Return the text of each file of the starter book, in the order in which to read them."""
    folder = files("tokenworth") / "data" / "starter"
    return {name: (folder / name).read_text(encoding="utf-8") for name in STARTER}


def write_starter(folder: Path) -> tuple[Path, ...]:
    """Write the starter book into a folder, made if need be, and return the files; InputError where one would be replaced or cannot be made."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is not a folder", mend="name a new one", code="not_empty")
    if folder.is_dir() and (there := sorted(path.name for path in folder.glob("*.toml"))):
        raise InputError(f"{folder} has {', '.join(there)} already", mend="name a new folder", code="not_empty")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder} cannot be made: {error.strerror}", mend="name a folder where you may write", code="not_writable") from None
    written = []
    for name, text in starter_files().items():
        (folder / name).write_text(text, encoding="utf-8")
        written.append(folder / name)
    return tuple(written)
