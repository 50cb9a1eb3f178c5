"""The board of the job service: everything that can be done with jobs by those who ask.

Every change goes the same way: the job's folder keeps its new state for good, then the index learns of it, then followers are told.
So a kill at any instant leaves at most an index that is behind, which `recover` brings up.
"""

import time
from dataclasses import dataclass
from typing import Any

from engine.errors import EngineError, OutputError
from engine.jobs import ids
from engine.jobs.create import Proposal, digest_body, key_of, propose
from engine.jobs.estimate import Estimate
from engine.jobs.operating import Operating
from engine.jobs.records import Conflict, Job, NotFound
from engine.jobs.recovery import recover, start_over
from engine.jobs.reopen import reopen_failed
from engine.jobs.rows import Sql, delete_job, insert_job
from engine.jobs.states import HELD, TERMINAL, State, advance
from engine.jobs.stored import StoredJob, content_path

__all__ = ["Board", "Conflict", "Created", "NotFound"]

IDEMPOTENT_S = 86_400.0  # a key is known for so long
_ATTEMPTS = 3  # files may be replaced between the look at them and the creation


@dataclass(frozen=True, slots=True)
class Created:
    """What became of a create request.

    `job` is None after a dry run; `repeated`: an earlier request made it. `place` is its place in the queue, of the same moment.
    """

    job: Job | None
    repeated: bool
    parameters: dict[str, Any]
    estimate: Estimate
    warnings: list[dict[str, str]]
    place: tuple[int, int] | None = None


class Board(Operating):
    """The jobs of a home, for those who ask and for the supervisor of the workers. Every call may come from any thread.

    Parameters
    ----------
    home, database
        Where the folders are, and the index of them.
    files
        The uploaded files.
    catalog
        The models.

    Attributes
    ----------
    on_work : callable
        Called when a job has become claimable.
    on_cancel : callable
        Called with the id of a job that was cancelled while a worker had it; returns when the worker has stopped.
    """

    def create(self, org_id: str, body: bytes, *, idempotency_key: str | None = None, dry_run: bool = False) -> Created:
        """Check a create request, and keep the job if it is right.

        Parameters
        ----------
        idempotency_key
            From outside the body, where it comes before one that is inside. The same key with the same body within a day gives
            the first job.
        dry_run
            Check everything, create nothing.

        Raises
        ------
        RequestError
            With every problem found; nothing was created.
        Conflict
            The key was used with another body.
        """
        key = None if dry_run else idempotency_key or key_of(body)
        digest = digest_body(body) if key is not None else None
        if key is not None and digest is not None:
            with self.database.read() as sql:
                known = _find_key(sql, org_id, key, digest)
            if known is not None:
                return self._repeat(org_id, known)
        for _ in range(_ATTEMPTS):
            proposal = propose(
                org_id, body, self._finder(org_id), self.catalog, idempotency_key=key, body_sha256=digest
            )
            if dry_run:
                return Created(None, False, proposal.job.parameters, proposal.estimate, proposal.warnings)
            kept = self._keep(proposal)
            if kept is None:
                continue
            if isinstance(kept, str):
                return self._repeat(org_id, kept)
            self._announce(proposal)
            self.on_work()
            return kept
        raise Conflict("Files of this request are being replaced.", cure="Send it again when they are there.")

    def cancel(self, org_id: str | None, job_id: str) -> Job:
        """Cancel a job that is not final; a worker that has it is stopped before this returns. Raises NotFound or Conflict."""
        with self.turn:
            self.get(org_id, job_id)
            before, _ = self.move(job_id, "cancel")
            if before.status in HELD:
                self.stopping.add(job_id)
            self.diary.emit(job_id, "job.cancelled", "INFO", "Job cancelled")
        try:
            if before.status in HELD:
                self.on_cancel(job_id)
        finally:
            with self.turn:
                self.stopping.discard(job_id)
                self.let_go(job_id)
        return self.get(org_id, job_id)

    def retry(self, org_id: str | None, job_id: str, *, restart: bool = False) -> Job:
        """Let a failed or cancelled job run again: from where it ended, or with `restart` from nothing.

        Raises
        ------
        NotFound, Conflict
            There is none; its state forbids it, or what it needs is not there any more.
        """
        with self.turn:
            job = self.get(org_id, job_id)
            folder = self.folder(job_id)
            advance(job_id, folder.last_state(), "retry", ids.now())  # refuses before anything is touched
            if job_id in self.stopping:
                raise Conflict(f"Job {job_id} is being stopped.", cure="Try again in a second.")
            stored = StoredJob.from_json(folder.read())
            self._check_content(stored)
            if not restart:
                try:
                    reopen_failed(folder.run, stored.to_request())
                except EngineError as error:
                    message = f"Job {job_id} cannot go on from where it ended: {folder.placeless(error.message)}"
                    raise Conflict(message, cure="Retry it from nothing, with restart.") from error
            self.follow(job_id)
            job = self.get(org_id, job_id)
            self.move(job_id, "retry", commits=0 if restart else job.journal_lines, discard=restart)
            if restart:
                folder.discard_run()
                self.follow(job_id)
            self.diary.emit(job_id, "job.retried", "INFO", "Job retried", self.whereabouts(job_id))
        self.on_work()
        return self.get(org_id, job_id)

    def delete(self, org_id: str | None, job_id: str) -> None:
        """Delete a final job with everything but its input files. Raises NotFound or Conflict."""
        with self.turn:
            job = self.get(org_id, job_id)
            if job.status not in TERMINAL or job_id in self.stopping:
                raise Conflict(f"Job {job_id} is {job.status} and cannot be deleted.", cure="Cancel it first.")
            self.diary.close(job_id)
            self.folder(job_id).remove()
            with self.database.write() as sql:
                delete_job(sql, job_id)
        self.on_work()  # there may be room now for one that waits

    def recover(self) -> list[OutputError]:
        """Bring the index to what the folders say, once, at the start of a server and before anything else.

        Returns what is wrong with jobs whose folder cannot be read: they are in nobody's way.
        """
        return recover(self)

    def start_over(self, reason: str) -> None:
        """Let every job wait again that a worker had, after a failure in the middle; no worker may be alive. Raises OutputError."""
        start_over(self, reason)

    def _keep(self, proposal: Proposal) -> Created | str | None:
        """Make a job of a proposal and return it as it is born, or the id of a twin that was quicker; None where a file was replaced."""
        job = proposal.job
        folder = self.folder(job.id)
        state = State.created(job.created_at)
        folder.create(job.to_json(), state)
        kept: str | None = None
        born: Created | None = None
        try:
            with self.database.write() as sql:
                if job.idempotency_key is not None and job.body_sha256 is not None:
                    kept = _find_key(sql, job.org_id, job.idempotency_key, job.body_sha256)
                    sql.execute(
                        "DELETE FROM idempotency WHERE org_id = ? AND key = ? AND job_id IS NOT ?",
                        (job.org_id, job.idempotency_key, kept),
                    )
                if kept is None and not _replaced(sql, {one.file_uid for one in job.inputs}):
                    insert_job(sql, job, state)
                    first = self.get(job.org_id, job.id)  # nobody can have claimed it yet
                    place = self.queue_place(first)
                    born = Created(first, False, first.parameters, proposal.estimate, proposal.warnings, place)
        finally:
            if born is None:
                folder.remove()
        return born or kept

    def _repeat(self, org_id: str, job_id: str) -> Created:
        with self.one_moment():
            job = self.get(org_id, job_id)
            place = self.queue_place(job)
        engine = job.engine
        return Created(job, True, job.parameters, Estimate(**engine["estimate"]), engine["warnings"], place)

    def _announce(self, proposal: Proposal) -> None:
        job = proposal.job
        payload = {"name": job.name, "inputs": len(job.inputs), "estimate": proposal.estimate.to_json()}
        self.diary.emit(job.id, "job.created", "INFO", "Job created", payload)
        if ignored := job.engine["ignored_config"]:
            hints = proposal.hints
            said = [f"{path} (did you mean {hints[path]}?)" if path in hints else path for path in ignored]
            self.diary.emit(
                job.id, "config.ignored", "WARN", f"Ignored configuration: {', '.join(said)}", {"keys": ignored}
            )
        for warning in proposal.warnings:
            if warning["code"] == "long_job":  # what the plan warns of is told by each run
                self.diary.emit(job.id, "job.warning", "WARN", warning["message"], {"code": "long_job"})

    def _check_content(self, stored: StoredJob) -> None:
        names = {one.sha256: one.file_name for one in stored.inputs if one.sha256 is not None}
        gone = [name for sha256, name in names.items() if not content_path(self.home.content, sha256).is_file()]
        if gone:
            shown = ", ".join(gone[:3]) + (", ..." if len(gone) > 3 else "")
            raise Conflict(
                f"Job {stored.id} cannot be retried: {shown} was deleted.", cure="Upload it and create a new job."
            )


def _find_key(sql: Sql, org_id: str, key: str, digest: str) -> str | None:
    """Return the job that a key made within a day. Raises Conflict where that was with another body."""
    since = ids.at(time.time() - IDEMPOTENT_S)
    row = sql.execute(
        "SELECT job_id, body_sha256 FROM idempotency WHERE org_id = ? AND key = ? AND created_at > ?",
        (org_id, key, since),
    ).fetchone()
    if row is None:
        return None
    if row["body_sha256"] != digest:
        raise Conflict(f"The idempotency key {key!r} was used with another body.", cure="Use another key.")
    return str(row["job_id"])


def _replaced(sql: Sql, uids: set[str | None]) -> bool:
    """Tell whether one of these files is not what its name stands for any more."""
    one = "SELECT 1 FROM files WHERE uid = ? AND deleted_at IS NULL"
    return any(sql.execute(one, (uid,)).fetchone() is None for uid in uids if uid is not None)
