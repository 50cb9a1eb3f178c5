"""The folders of the models that the user added: they appear in one step and disappear in one step; reading creates nothing."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, unquote

from engine.errors import ModelError

NAME = re.compile(r"(?=.{1,100}$)[A-Za-z0-9][A-Za-z0-9_.:-]*(/[A-Za-z0-9][A-Za-z0-9_.:-]*)*")
LONGEST_FOLDER_NAME = 200  # slashes and colons become three characters each


class Store:
    """Models in `folder`, one folder each, named after them; what a folder's name cannot hold is written as in URLs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> tuple[str, ...]:
        """Return the names of what was added, in order. Raises ModelError where the folder cannot be read."""
        try:
            folders = [path.name for path in self.folder.iterdir() if path.is_dir()]
        except (FileNotFoundError, NotADirectoryError):
            return ()
        except OSError as error:
            raise ModelError(f"The models in {self.folder} cannot be read: {error.strerror}.") from error
        names = {name: unquote(name) for name in folders}
        return tuple(
            sorted(name for own, name in names.items() if NAME.fullmatch(name) and quote(name, safe="") == own)
        )

    def place(self, name: str) -> Path:
        """Return the folder of a model of this name, whether it is there or not."""
        return self.folder / quote(name, safe="")

    def check_name(self, name: str) -> None:
        """Raise ModelError where a model cannot have this name."""
        if not NAME.fullmatch(name) or ".." in name or len(quote(name, safe="")) > LONGEST_FOLDER_NAME:
            raise ModelError(
                f"'{name}' cannot be a model's name.",
                cure="Use up to 100 letters, digits, dots, hyphens and underscores; slashes and colons between them.",
            )

    @contextmanager
    def staging(self) -> Iterator[Path]:
        """Yield an empty folder beside the models that is gone afterwards, unless it was published."""
        with _writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            staging = Path(tempfile.mkdtemp(prefix=".adding-", dir=self.folder))
            try:
                yield staging
            finally:
                shutil.rmtree(staging, ignore_errors=True)

    def publish(self, staging: Path, name: str, *, replace: bool) -> None:
        """Let a staged folder be the model of this name. Raises ModelError when another one was added meanwhile."""
        staging.chmod(0o755)  # mkdtemp's are private
        final = self.place(name)
        if replace and final.is_dir():
            _discard(final)
        try:
            staging.rename(final)
        except OSError as error:
            if not final.is_dir():
                raise
            raise ModelError(f"There is a model '{name}' already, added just now.", code="model_exists") from error

    def remove(self, name: str) -> None:
        """Remove a model that is there. Raises ModelError where the folder cannot be changed."""
        with _writing(self.folder):
            _discard(self.place(name))


def _discard(folder: Path) -> None:
    """Make a folder disappear in one step, then free its space."""
    doomed = Path(tempfile.mkdtemp(prefix=".removed-", dir=folder.parent))
    folder.rename(doomed / folder.name)
    shutil.rmtree(doomed, ignore_errors=True)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Tell a person where writing failed."""
    try:
        yield
    except OSError as error:
        place = error.filename or folder
        raise ModelError(
            f"The model cannot be stored or changed: {place}: {error.strerror}.",
            code="model_store",
            cure="Choose another place with ENGINE_HOME.",
        ) from error
