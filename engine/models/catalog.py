"""Which model a `model_type` or `model_variant` stands for: the shipped ones, their names on the wire, and what the user added.

A user's model lives in a folder of its own below `<home>/models`. It appears there in one step, after it has passed a trial, and
disappears in one step.
"""

import difflib
import os
import sys
from dataclasses import replace as replace_fields
from pathlib import Path
from typing import Any

from engine.errors import EngineError, ModelError
from engine.models.intake import LanguageHints, take_model
from engine.models.manifest import ModelEntry, Normalization, added_entry, digest, find_files, read_manifest
from engine.models.probe import Hints
from engine.models.store import Store
from engine.models.trial import try_model

__all__ = ["ALIASES", "LANGUAGE_ALIASES", "Catalog", "Hints", "LanguageHints", "ModelEntry", "default_home"]

BUILTIN = Path(__file__).parent / "builtin"
SHIPPED = "multiscale"
SHIPPED_LANGUAGE = "activity"
ALIASES: dict[str, int | None] = {  # names on the wire that lead to the shipped encoder -> its exact number of channels
    "omega_1_4_base": None,
    "omega_1_4": None,
    "omega_1_5_base": None,
    "omega_1_3_surface": 9,
    "omega_1_3_power_drive": 9,
    "omega_1_3_slb": 9,
    "omega_1_3_slb_surface": 9,
}
LANGUAGE_ALIASES = (  # names on the wire that lead to the shipped language model
    "newton/c:2.5.1-8b-base",
    "newton/c:2.5.0-8b-base",
    "newton/c:2.4.0-7b-base",
    "newton/c:2.3.0-7b-base",
)
OURS = dict.fromkeys([*ALIASES, SHIPPED], SHIPPED) | dict.fromkeys(
    [*LANGUAGE_ALIASES, SHIPPED_LANGUAGE], SHIPPED_LANGUAGE
)
ADD = "engine models add FOLDER --name NAME"


class Catalog:
    """The models of this machine.

    Parameters
    ----------
    home : Path or None
        The user's folder, whose `models/` holds what was added; by default `default_home()`. It need not exist.
    """

    def __init__(self, home: Path | None = None) -> None:
        self._store = Store((home or default_home()) / "models")

    @property
    def folder(self) -> Path:
        """Return the folder of the user's models, which need not exist."""
        return self._store.folder

    def names(self) -> tuple[str, ...]:
        """Return every `model_type` that `find` knows: the wire's names, the shipped encoder, the user's encoders."""
        own = [name for name in self._added() if self._is_of(name, "encoder")]
        return tuple(dict.fromkeys([*ALIASES, SHIPPED, *own]))

    def language_names(self) -> tuple[str, ...]:
        """Return every `model_variant` that `find_language` knows, as `names` does; without ours where none is shipped."""
        ours = [*LANGUAGE_ALIASES, SHIPPED_LANGUAGE] if _is_there(SHIPPED_LANGUAGE) else []
        own = [name for name in self._added() if self._is_of(name, "language model")]
        return tuple(dict.fromkeys([*ours, *own]))

    def list(self) -> tuple[ModelEntry, ...]:
        """Return the installed models, ours first. Folders that cannot be used are left to `broken`."""
        own, broken = self._added(), self.broken()
        ours = []
        for shipped in (SHIPPED, SHIPPED_LANGUAGE):
            if _is_there(shipped):
                aliases = (name for name, model in OURS.items() if model == shipped != name)
                ours.append(replace_fields(_ours(shipped), aliases=tuple(name for name in aliases if name not in own)))
        return (*ours, *(self.entry(name) for name in own if name not in broken))

    def broken(self) -> dict[str, str]:
        """Return the user's models that cannot be used, each with what is wrong."""
        problems = {}
        for name in self._added():
            try:
                entry = self.entry(name)
                find_files(entry.folder, entry.manifest)
            except ModelError as error:
                problems[name] = str(error)
        return problems

    def find(self, model_type: str) -> ModelEntry:
        """Return the encoder of this name; a user's model comes before ours.

        Raises
        ------
        ModelError
            There is none (code `unknown_model`), it is a language model, or its `model.json` is wrong.
        """
        return self._find("model_type", model_type, "encoder")

    def find_language(self, model_variant: str) -> ModelEntry:
        """Return the language model of this name; a user's model comes before ours.

        Raises
        ------
        ModelError
            There is none (code `unknown_model`), none is shipped (`model_missing`), it is an encoder, or its `model.json` is wrong.
        """
        return self._find("model_variant", model_variant, "language model")

    def entry(self, name: str) -> ModelEntry:
        """Return the model of this name, of either kind; a user's model comes before ours. Raises ModelError."""
        if name in self._added():
            folder = self._store.place(name)
            return added_entry(name, folder, read_manifest(folder))
        if name in OURS:
            return _ours(name)
        raise _unknown("model", name, tuple(dict.fromkeys(self.names() + self.language_names())))

    def check_name(self, name: str, *, replace: bool = False) -> None:
        """Raise ModelError where a model cannot be added under this name."""
        self._store.check_name(name)
        if name in (SHIPPED, SHIPPED_LANGUAGE):
            raise ModelError(f"'{name}' is the shipped model.", cure="Choose another name.")
        if name in self._added() and not replace:
            raise ModelError(
                f"There is a model '{name}' already.", code="model_exists", cure="Remove it first, or give --replace."
            )

    def add(
        self,
        source: Path,
        *,
        name: str,
        hints: Hints | LanguageHints | None = None,
        normalization: Normalization | None = None,
        licence: str | None = None,
        provenance: str | None = None,
        replace: bool = False,
    ) -> ModelEntry:
        """Inspect, try and keep a model.

        Parameters
        ----------
        source : Path
            A graph, or a folder with one; a `model.json` in the folder is taken at its word and tried. With a `tokenizer.json` beside
            a graph that takes tokens it is a language model.
        name : str
            The `model_type` or `model_variant` it will have. One of the wire's names replaces our model under that name.
        hints : Hints, LanguageHints or None
            What the inspection shall not decide, of an encoder or of a language model.
        normalization, licence, provenance
            What no graph tells.
        replace : bool
            Take the place of a model that has this name already.

        Raises
        ------
        ModelError
            The name is taken or not usable, the graph is of neither kind, the trial fails, or the folder cannot be written.
        """
        self.check_name(name, replace=replace)
        told = {"normalization": normalization, "licence": licence, "provenance": provenance}
        given: dict[str, Any] = {key: value for key, value in told.items() if value is not None}
        with self._store.staging() as folder:
            try:
                manifest = take_model(source, folder, name=name, hints=hints, told=given)
                _check_kind(name, manifest.kind)
                try_model(added_entry(name, folder, manifest))
            except ModelError as error:  # about our copy: the user knows the files by their own place
                home = source.parent if source.is_file() else source
                raise ModelError(
                    error.message.replace(str(folder), str(home)), code=error.code, cure=error.cure
                ) from error
            self._store.publish(folder, name, replace=replace)
        return self.entry(name)

    def verify(self, name: str) -> tuple[str, ...]:
        """Return what is wrong with a model, nothing when it is whole and passes the trial. Reads every file."""
        try:
            entry = self.entry(name)
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
            ours = name in OURS and _is_there(OURS[name])
            raise ModelError(
                f"model '{name}' {'is shipped and cannot be removed' if ours else 'was not added, so it cannot be removed'}.",
                code="unknown_model",
            )
        self._store.remove(name)

    def _added(self) -> tuple[str, ...]:
        return tuple(name for name in self._store.names() if name not in (SHIPPED, SHIPPED_LANGUAGE))

    def _is_of(self, name: str, kind: str) -> bool:
        """Tell whether a user's model is of a kind; one that does not say of which it is, is of both."""
        try:
            return _kind(self.entry(name).manifest.kind) == kind
        except ModelError:
            return True

    def _find(self, field: str, name: str, kind: str) -> ModelEntry:
        list_names = self.names if kind == "encoder" else self.language_names
        if name not in OURS and name not in self._added():
            raise _unknown(field, name, list_names())
        entry = self.entry(name)
        found = _kind(entry.manifest.kind)
        if found != kind:
            known = list_names()
            raise ModelError(
                f"{field} '{name}' is {_with_article(found)}; {_with_article(kind)} is needed here.",
                code="wrong_model_kind",
                cure=f"There are: {', '.join(known)}." if known else f"Add one with: {ADD}",
            )
        return entry


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


def _is_there(shipped: str) -> bool:
    return (BUILTIN / shipped).is_dir()


def _ours(name: str) -> ModelEntry:
    """Return the shipped model that a name leads to. Raises ModelError where this build has none."""
    folder = BUILTIN / OURS[name]
    if not folder.is_dir():
        raise ModelError(
            f"'{name}' stands for the shipped language model, and this build has none.",
            code="model_missing",
            cure=f"Add one and ask for it by its name: {ADD}",
        )
    return ModelEntry(name, folder, read_manifest(folder), shipped=True, channels=ALIASES.get(name))


def _kind(kind: str) -> str:
    return "language model" if kind == "language" else "encoder"


def _with_article(kind: str) -> str:
    return f"an {kind}" if kind == "encoder" else f"a {kind}"


def _check_kind(name: str, kind: str) -> None:
    """Keep the wire's names to models of their own kind."""
    ours = "language model" if name in LANGUAGE_ALIASES else "encoder"
    if name in OURS and _kind(kind) != ours:
        raise ModelError(
            f"'{name}' is a name of {ours}s, and this is {_with_article(_kind(kind))}.", cure="Choose another name."
        )


def _unknown(field: str, name: str, known: tuple[str, ...]) -> ModelError:
    close = difflib.get_close_matches(name, known, 1)
    there = f"; there are: {', '.join(known)}" if known else ", and no such model was added"
    return ModelError(
        f"{field} '{name}' is unknown{there}.",
        code="unknown_model",
        cure=f"Did you mean {close[0]}?" if close else f"Add a model with: {ADD}",
    )
