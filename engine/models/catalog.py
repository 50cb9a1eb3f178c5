"""Which model a `model_type` stands for: the shipped one, its names on the wire, and the models that the user added.

A user's model lives in `<home>/models/<name>/`. It appears there in one step, after it has passed a trial, and disappears in one
step; nothing is created by reading.
"""

import difflib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace as replace_fields
from pathlib import Path
from typing import Any

from engine.errors import EngineError, ModelError
from engine.models.intake import take_model
from engine.models.manifest import ModelEntry, Normalization, added_entry, digest, find_files, read_manifest
from engine.models.probe import Hints
from engine.models.trial import try_model

__all__ = ["ALIASES", "Catalog", "Hints", "ModelEntry", "default_home"]

SHIPPED = "multiscale"
ALIASES: dict[str, int | None] = {  # names on the wire that lead to the shipped encoder -> its exact number of channels
    "omega_1_4_base": None,
    "omega_1_4": None,
    "omega_1_5_base": None,
    "omega_1_3_surface": 9,
    "omega_1_3_power_drive": 9,
    "omega_1_3_slb": 9,
    "omega_1_3_slb_surface": 9,
}
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


class Catalog:
    """The models of this machine.

    Parameters
    ----------
    home : Path or None
        The user's folder, whose `models/` holds what was added; by default `default_home()`. It need not exist.
    """

    def __init__(self, home: Path | None = None) -> None:
        self.folder = (home or default_home()) / "models"
        self._shipped = Path(__file__).parent / "builtin" / SHIPPED

    def names(self) -> tuple[str, ...]:
        """Return every `model_type` that `find` knows: the wire's names, the shipped model, the user's models."""
        return tuple(dict.fromkeys([*ALIASES, SHIPPED, *self._added()]))

    def list(self) -> tuple[ModelEntry, ...]:
        """Return the installed models, ours first. Folders that cannot be used are left to `broken`."""
        own = self._added()
        aliases = tuple(name for name in ALIASES if name not in own)
        ours = replace_fields(self._ours(SHIPPED), aliases=aliases)
        broken = self.broken()
        return (ours, *(self.find(name) for name in own if name not in broken))

    def broken(self) -> dict[str, str]:
        """Return the user's models that cannot be used, each with what is wrong."""
        problems = {}
        for name in self._added():
            try:
                entry = self.find(name)
                find_files(entry.folder, entry.manifest)
            except ModelError as error:
                problems[name] = str(error)
        return problems

    def find(self, model_type: str) -> ModelEntry:
        """Return the model of this name; a user's model comes before ours.

        Raises
        ------
        ModelError
            There is none (code `unknown_model`), or its `model.json` is wrong.
        """
        if model_type in self._added():
            folder = self.folder / model_type
            return added_entry(model_type, folder, read_manifest(folder))
        if model_type == SHIPPED or model_type in ALIASES:
            return self._ours(model_type)
        names = self.names()
        close = difflib.get_close_matches(model_type, names, 1)
        raise ModelError(
            f"model_type '{model_type}' is unknown; there are: {', '.join(names)}.",
            code="unknown_model",
            cure=f"Did you mean {close[0]}?" if close else "Add a model with: engine models add FOLDER --name NAME",
        )

    def add(
        self,
        source: Path,
        *,
        name: str,
        hints: Hints | None = None,
        normalization: Normalization | None = None,
        licence: str | None = None,
        provenance: str | None = None,
        replace: bool = False,
    ) -> ModelEntry:
        """Inspect, try and keep a model.

        Parameters
        ----------
        source : Path
            A graph, or a folder with one; a `model.json` in the folder is taken at its word and tried.
        name : str
            The `model_type` it will have. One of the wire's names replaces our model under that name.
        hints : Hints or None
            What the inspection shall not decide.
        normalization, licence, provenance
            What no graph tells.
        replace : bool
            Take the place of a model that has this name already.

        Raises
        ------
        ModelError
            The name is taken or not usable, the graph is not an encoder, the trial fails, or the folder cannot be written.
        """
        self._check_name(name, replace=replace)
        told = {"normalization": normalization, "licence": licence, "provenance": provenance}
        given: dict[str, Any] = {key: value for key, value in told.items() if value is not None}
        with _writing(self.folder), self._staging() as folder:
            manifest = take_model(source, folder, name=name, hints=hints or Hints(), told=given)
            try_model(added_entry(name, folder, manifest))
            self._publish(folder, name, replace=replace)
        return self.find(name)

    def verify(self, name: str) -> tuple[str, ...]:
        """Return what is wrong with a model, nothing when it is whole and passes the trial. Reads every file."""
        try:
            entry = self.find(name)
            files = find_files(entry.folder, entry.manifest)
            problems = [
                f"{files[file]} is not the file that was recorded: its digest differs."
                for file, recorded in entry.manifest.sha256.items()
                if digest(files[file]) != recorded
            ]
            if not problems:
                try_model(entry)
        except EngineError as error:
            return (str(error),)
        return tuple(problems)

    def remove(self, name: str) -> None:
        """Remove a model that the user added.

        Raises
        ------
        ModelError
            There is none of this name, or its folder cannot be changed.
        """
        if name not in self._added():
            ours = name == SHIPPED or name in ALIASES
            raise ModelError(
                f"model '{name}' {'is shipped and cannot be removed' if ours else 'was not added, so it cannot be removed'}.",
                code="unknown_model",
            )
        with _writing(self.folder):
            _discard(self.folder / name)

    def _added(self) -> tuple[str, ...]:
        try:
            folders = sorted(path for path in self.folder.iterdir() if path.is_dir())
        except (FileNotFoundError, NotADirectoryError):
            return ()
        except OSError as error:
            raise ModelError(f"The models in {self.folder} cannot be read: {error.strerror}.") from error
        return tuple(path.name for path in folders if NAME.fullmatch(path.name) and path.name != SHIPPED)

    def _ours(self, name: str) -> ModelEntry:
        manifest = read_manifest(self._shipped)
        return ModelEntry(name, self._shipped, manifest, shipped=True, channels=ALIASES.get(name))

    def _check_name(self, name: str, *, replace: bool) -> None:
        if not NAME.fullmatch(name):
            raise ModelError(
                f"'{name}' cannot be a model's name.",
                cure="Use up to 100 letters, digits, dots, hyphens and underscores.",
            )
        if name == SHIPPED:
            raise ModelError(f"'{name}' is the shipped model.", cure="Choose another name.")
        if name in self._added() and not replace:
            raise ModelError(
                f"There is a model '{name}' already.", code="model_exists", cure="Remove it first, or give --replace."
            )

    @contextmanager
    def _staging(self) -> Iterator[Path]:
        """Yield a folder beside the models that is gone afterwards, unless it was published."""
        self.folder.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".adding-", dir=self.folder))
        try:
            yield staging
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def _publish(self, staging: Path, name: str, *, replace: bool) -> None:
        staging.chmod(0o755)  # mkdtemp's are private
        final = self.folder / name
        if replace and final.is_dir():
            _discard(final)
        try:
            staging.rename(final)
        except OSError as error:
            if not final.is_dir():
                raise
            raise ModelError(f"There is a model '{name}' already, added just now.", code="model_exists") from error


def default_home() -> Path:
    """Return the user's folder of this application: $ENGINE_HOME, or where the platform keeps such data."""
    chosen = os.environ.get("ENGINE_HOME")
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "darwin":
        data = Path.home() / "Library" / "Application Support"
    else:
        data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return data / "sensor-state-engine"


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
