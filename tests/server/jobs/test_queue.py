"""The order of jobs: priorities, turns, superseding, limits."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from maskwright.jobs.queue import JobQueue, QueuedJob
from maskwright_protocol.errors import BadInput, Busy
from maskwright_protocol.messages import PRIORITIES, Select


def make(
    session: str,
    identity: str,
    priority: str = "interactive",
    tool: str = "",
    generation: int = 0,
    expires: float = 1e9,
) -> QueuedJob:
    request = Select(identity, priority=priority, tool=tool, generation=generation)
    return QueuedJob(session, request, lambda message: None, expires)


def taken(queue: JobQueue) -> list[str]:
    """Run all that waits; ids in the order they ran."""
    order = []
    while (job := queue.take()) is not None:
        order.append(job.request.id)
        queue.finish(job)
    return order


def test_interactive_before_batch_before_background() -> None:
    queue = JobQueue(9)
    for number, priority in enumerate(["background", "batch", "interactive", "background", "batch", "interactive"]):
        queue.submit(make("a", f"{priority}{number}", priority))
    assert taken(queue) == ["interactive2", "interactive5", "batch1", "batch4", "background0", "background3"]


def test_clients_take_turns_and_keep_their_own_order() -> None:
    queue = JobQueue(9)
    for identity in ("a1", "a2", "b1", "c1", "c2"):
        queue.submit(make(identity[0], identity))
    assert taken(queue) == ["a1", "b1", "c1", "a2", "c2"]


def test_a_late_client_does_not_wait_for_all_of_anothers_jobs() -> None:
    queue = JobQueue(9)
    for identity in ("a1", "a2", "a3"):
        queue.submit(make("a", identity))
    first = queue.take()
    assert first is not None
    queue.submit(make("b", "b1"))
    queue.finish(first)
    assert taken(queue)[:2] == ["a2", "b1"]


def test_a_newer_generation_supersedes_the_older() -> None:
    queue = JobQueue(9)
    old, other, running = make("a", "1", tool="t", generation=2), make("a", "2", tool="u"), make("a", "0", tool="t")
    queue.submit(running)
    assert queue.take() is running
    assert queue.submit(old) == [running]
    assert queue.submit(other) == []
    found = queue.submit(make("a", "3", tool="t", generation=3))
    assert set(map(id, found)) == {id(running), id(old)}


def test_the_caller_can_still_end_what_was_superseded() -> None:
    """It must be told that it was: so it stays until then."""
    queue = JobQueue(9)
    old = make("a", "1", tool="t", generation=1)
    queue.submit(old)
    assert queue.submit(make("a", "2", tool="t", generation=2)) == [old]
    assert queue.withdraw(old)
    assert taken(queue) == ["2"]


@pytest.mark.parametrize(
    "newer",
    [
        make("b", "2", tool="t", generation=2),
        make("a", "2", tool="u", generation=2),
        make("a", "2", tool="t", generation=1),
    ],
    ids=["another client's", "another tool's", "the same generation"],
)
def test_what_does_not_supersede(newer: QueuedJob) -> None:
    queue = JobQueue(9)
    queue.submit(make("a", "1", tool="t", generation=1))
    assert queue.submit(newer) == []


def test_jobs_without_a_tool_supersede_nothing() -> None:
    queue = JobQueue(9)
    queue.submit(make("a", "1", generation=1))
    assert queue.submit(make("a", "2", generation=2)) == []


def test_an_older_generation_is_refused() -> None:
    queue = JobQueue(9)
    queue.submit(make("a", "1", tool="t", generation=5))
    with pytest.raises(BadInput):
        queue.submit(make("a", "2", tool="t", generation=4))
    assert taken(queue) == ["1"]


@pytest.mark.parametrize("running", [False, True])
def test_an_id_is_used_once_at_a_time(running: bool) -> None:
    queue = JobQueue(9)
    queue.submit(make("a", "1"))
    job = queue.take() if running else None
    with pytest.raises(BadInput):
        queue.submit(make("a", "1", "batch"))
    queue.submit(make("b", "1"))
    if job is not None:
        queue.finish(job)
        queue.submit(make("a", "1"))


def test_the_limit_is_each_clients_own() -> None:
    queue = JobQueue(2)
    queue.submit(make("a", "0"))
    queue.take()
    queue.submit(make("a", "1"))
    queue.submit(make("a", "2", "batch"))
    with pytest.raises(Busy):
        queue.submit(make("a", "3", "background"))
    queue.submit(make("b", "1"))


def test_superseding_makes_room() -> None:
    queue = JobQueue(1)
    old = make("a", "1", tool="t", generation=1)
    queue.submit(old)
    assert queue.submit(make("a", "2", tool="t", generation=2)) == [old]


def test_find_and_sessions_and_deadlines() -> None:
    queue = JobQueue(9)
    first, second = make("a", "1", expires=10.0), make("a", "2", expires=20.0)
    queue.submit(first)
    queue.submit(second)
    assert queue.take() is first
    assert queue.find("a", "1") is first
    assert queue.find("b", "1") is None
    assert queue.of_session("a") == [first, second]
    assert queue.expired(9.9) == []
    assert queue.expired(10.0) == [first]
    assert queue.expired(99.0) == [first, second]
    assert not queue.withdraw(first)
    assert queue.withdraw(second)
    assert not queue.withdraw(second)


class QueueMachine(RuleBasedStateMachine):
    """Any sequence of calls, against a list."""

    jobs = Bundle("jobs")
    LIMIT = 3

    def __init__(self) -> None:
        super().__init__()
        self.queue = JobQueue(self.LIMIT)
        self.waiting: list[QueuedJob] = []
        self.running: list[QueuedJob] = []

    @rule(
        target=jobs,
        session=st.sampled_from("abc"),
        identity=st.sampled_from([str(number) for number in range(12)]),
        priority=st.sampled_from(PRIORITIES),
        tool=st.sampled_from(["", "t"]),
        generation=st.integers(0, 3),
    )
    def submit(self, session: str, identity: str, priority: str, tool: str, generation: int) -> object:
        job = make(session, identity, priority, tool, generation)
        mine = [other for other in self.waiting + self.running if other.session == session]
        rivals = [other for other in mine if tool and other.request.tool == tool]
        older = [other for other in rivals if other.request.generation < generation]
        refused = any(o.request.id == identity for o in mine) or any(o.request.generation > generation for o in rivals)
        staying = [other for other in self.waiting if other.session == session and other not in older]
        if refused or len(staying) >= self.LIMIT:
            with pytest.raises(BadInput if refused else Busy):
                self.queue.submit(job)
            return multiple()
        superseded = self.queue.submit(job)
        assert set(map(id, superseded)) == set(map(id, older))
        for other in superseded:
            if self.queue.withdraw(other):
                self.waiting.remove(other)
            else:
                self.queue.finish(other)
                self.running.remove(other)
        self.waiting.append(job)
        return job

    @rule()
    def take(self) -> None:
        job = self.queue.take()
        if job is None:
            assert self.waiting == []
            return
        rank = PRIORITIES.index
        assert rank(job.request.priority) == min(rank(other.request.priority) for other in self.waiting)
        same = [other for other in self.waiting if other.request.priority == job.request.priority]
        assert job is next(other for other in same if other.session == job.session)
        self.waiting.remove(job)
        self.running.append(job)

    @rule(job=jobs)
    def finish(self, job: QueuedJob) -> None:
        self.queue.finish(job)
        if job in self.running:
            self.running.remove(job)

    @rule(job=jobs)
    def withdraw(self, job: QueuedJob) -> None:
        assert self.queue.withdraw(job) is (job in self.waiting)
        if job in self.waiting:
            self.waiting.remove(job)

    @invariant()
    def holds_what_was_given(self) -> None:
        assert set(map(id, self.queue.waiting())) == set(map(id, self.waiting))
        assert self.queue.running == self.running
        for job in self.waiting + self.running:
            assert self.queue.find(job.session, job.request.id) is job


QueueMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None, derandomize=True)
TestQueueMachine = QueueMachine.TestCase


@pytest.mark.parametrize("floods", [1, 8])
def test_a_click_comes_before_a_flood(floods: int) -> None:
    """It waits for the job that runs, however many wait; floods get their turns between the clicks."""
    queue = JobQueue(99)
    for number in range(20):
        for flood in range(floods):
            queue.submit(make(f"flood{flood}", str(number)))
    for click in range(10):
        running = queue.take()
        assert running is not None
        assert running.session != "painter"
        queue.submit(make("painter", f"click{click}"))
        queue.finish(running)
        following = queue.take()
        assert following is not None
        assert following.session == "painter"
        queue.finish(following)


def test_a_flood_has_one_of_four_turns() -> None:
    queue = JobQueue(99)
    for number in range(9):
        queue.submit(make("flood", str(number)))
    order = []
    for number in range(12):
        for session in "abc"[: 3 - len({job.session for job in queue.waiting()} - {"flood"})]:
            queue.submit(make(session + str(number), str(number)))
        job = queue.take()
        assert job is not None
        order.append(job.session == "flood")
        queue.finish(job)
    assert order == [False, False, False, True] * 3


@pytest.mark.parametrize("priority", PRIORITIES)
@pytest.mark.parametrize("many", [False, True])
def test_nobody_waits_longer_than_one_round(priority: str, many: bool) -> None:
    """A round is shared by those that have few jobs, or by those that have many; the latter have a turn in four."""
    queue = JobQueue(50)
    for number in range(20 if many else 2):
        for session in "abcd"[: 1 + number % 4]:
            queue.submit(make(session, f"{session}{number}", priority))
    remaining = {session: len(queue.of_session(session)) for session in "abcd"}
    since = dict.fromkeys("abcd", 0)
    while (job := queue.take()) is not None:
        queue.finish(job)
        remaining[job.session] -= 1
        for session in "abcd":
            since[session] = 0 if session == job.session else since[session] + 1
            assert remaining[session] == 0 or since[session] <= (12 if many else 3)
