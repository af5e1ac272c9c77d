"""Questions about an access: the patient asks her hospital, its privacy officer answers (SCREENS.md h)."""

from dataclasses import dataclass

from app.custodian.messages import CustodianRefusal
from app.custodian.results import AskedQuestion, Explanation, Question
from app.services.accesses import AccessRow, Who, who
from app.services.entries import Access
from app.services.machine import Machine
from app.services.pairs import Pair
from ledger.gateway import Signer


@dataclass(frozen=True, slots=True)
class OwnQuestions:
    """What one patient asked, over all her pairs."""

    pairs: tuple[Pair, ...]

    def by_access(self) -> dict[str, Question]:
        """Return her questions by access id."""
        return {
            each.access_id: each
            for pair in self.pairs
            for each in pair.client.own_questions(pair.identity, pair.patient_id)
        }

    def ask(self, row: AccessRow, words: str) -> None:
        """Ask about an access; it stays with the hospital, sealed, and is never on the ledger.

        Raises:
            CustodianRefusal: ``already-exists``: she asked about it before.
        """
        pair = next(pair for pair in self.pairs if pair.patient_id == row.patient_id)
        pair.client.ask_question(pair.identity, row.patient_id, row.access_id, words.strip())


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """A question as the privacy officer reads it, with what the ledger says of the access.

    Attributes:
        question: her words, and the answer.
        person: the patient's name.
        who: whom she asks about.
        access: the entry.
        block: that holds it.
        categories: kinds of the records; empty for a list of records.
    """

    question: Question
    person: str
    who: Who
    access: Access
    block: int
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Questions:
    """One hospital's questions, for its privacy officer.

    Attributes:
        machine: this installation.
        signer: the privacy officer.
    """

    machine: Machine
    signer: Signer

    def rows(self) -> tuple[QuestionRow, ...]:
        """Return all questions: those without an answer first, the oldest of them first, then the newest answers."""
        self.machine.catch_up()
        asked = self.machine.custodians[self.signer.msp_id].questions(self.signer)
        return tuple(sorted((self._row(each) for each in asked), key=_order))

    def answer(self, row: QuestionRow, words: str) -> None:
        """Answer a question; it cannot be changed later.

        Raises:
            CustodianRefusal: ``already-exists``: a colleague answered it meanwhile.
        """
        question, client = row.question, self.machine.custodians[self.signer.msp_id]
        client.answer_question(self.signer, question.patient_id, question.access_id, words.strip())

    def _row(self, asked: AskedQuestion) -> QuestionRow:
        question = asked.question
        value = self.machine.find("access", question.patient_id, question.access_id)
        if value is None:
            raise CustodianRefusal("unknown-access")
        access = Access.of(value)
        badges = {} if asked.badge is None else {access.subject: asked.badge}
        person = who(self.machine, access.msp_id, access.subject, Explanation(badges, {}, {}, {}, {}))
        block = self.machine.committed(question.patient_id, question.access_id).block
        return QuestionRow(question, asked.person, person, access, block, asked.categories)


def _order(row: QuestionRow) -> tuple[bool, int]:
    question = row.question
    return (False, question.asked_at) if question.answered_at is None else (True, -question.answered_at)
